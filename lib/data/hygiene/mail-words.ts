/**
 * What mail programs write, in the languages they write it in: how a quoted
 * letter is announced, the header they set above it, what they add below. From
 * the programs' own wordings (Outlook, Apple Mail, Gmail, Thunderbird). Each
 * pattern is for one line of at most MAX_LINE characters without the blank space
 * around it, and holds no repetition inside a repetition.
 */

/** Longer lines are not looked at beyond this: no program writes such. */
export const MAX_LINE = 400;

/** "On Mon, 3 May 2021 at 10:00, Ann <ann@example.org> wrote:", on one line or several joined. */
const WROTE: readonly RegExp[] = [
  /^On .+ wrote:$/i,
  /^.+ wrote:$/i,
  /^Am .+ schrieb .+:$/i,
  /^Am .+ hat .+ geschrieben:$/i,
  /^.+ schrieb(?: am .+)?:$/i,
  /^Le .+ a écrit ?:$/i,
  /^El .+ escribió:$/i,
  /^Il .+ ha scritto:$/i,
  /^(?:Em|A) .+ escreveu:$/i,
  /^Op .+ (?:schreef|heeft) .+:$/i,
  /^Den .+ skrev .+:$/i,
  /^.+ (?:kirjoitti|skrev|schreef|napsala?|napisała?|napisał\(a\)|pisze|írta|a scris|написала?|написал\(а\)|пишет|написав|пише|έγραψε|şunları yazdı|yazdı):$/i,
  /^.+(?:写道|寫道|のメール|のメッセージ|さんは書きました|작성)[:：]$/,
];

/** Whether a line announces a quoted letter: it says who wrote, and when or under what address. */
export function announcesQuote(line: string): boolean {
  if (line.length > MAX_LINE || !/[:：]$/.test(line)) return false;
  const who = /[^\s<>@]@[^\s<>@]/.test(line), when = /\d{1,2}[:.h]\d{2}/.test(line) || /\b(?:19|20)\d\d\b/.test(line) || /\d{1,2}[./-]\d{1,2}[./-]\d{2,4}/.test(line) || /\d年/.test(line);
  return (who || when) && WROTE.some((pattern) => pattern.test(line));
}

/** Whether a line is like the beginning of such an announcement that goes on in the next. */
export const beginsAnnouncement = (line: string): boolean => line.length <= MAX_LINE && /^(?:On|Am|Le|El|Il|Em|Op|Den)\s.*\d/i.test(line) && !/[.!?]$/.test(line);

/** "-----Original Message-----", "---------- Forwarded message ---------", "Begin forwarded message:". */
const ORIGINAL = /^(?:-{2,}|_{2,}) ?(?:original (?:message|mail|appointment)|forwarded (?:message|mail|by.*)|ursprüngliche nachricht|original-nachricht|originalnachricht|weitergeleitete nachricht|message (?:d['’]origine|original|transféré|transmis)|mensaje (?:original|reenviado)|messaggio (?:originale|inoltrato)|mensagem (?:original|encaminhada)|oorspronkelijk bericht|doorgestuurd bericht|ursprungligt meddelande|vidarebefordrat (?:meddelande|brev)|oprindelig meddelelse|videresendt meddelelse|opprinnelig melding|videresendt melding|alkuperäinen viesti|välitetty viesti|wiadomość oryginalna|wiadomość przekazana dalej|původní zpráva|přeposlaná zpráva|исходное сообщение|пересылаемое сообщение|originalmeddelande|özgün ileti|orijinal mesaj|転送されたメッセージ|元のメッセージ|原始邮件|转发邮件|原始郵件) ?(?:-{2,}|_{2,})$/i;
const FORWARDED = /^(?:Begin forwarded message|Anfang der weitergeleiteten Nachricht|Début du message (?:réexpédié|transféré)|Inicio del mensaje reenviado|Inizio messaggio inoltrato|Início da mensagem (?:encaminhada|reenviada)|Begin doorgestuurd bericht|Vidarebefordrat brev|Начало переадресованного сообщения) ?:$/i;

export const marksOriginal = (line: string): boolean => line.length <= MAX_LINE && (line.endsWith(":") ? FORWARDED : ORIGINAL).test(line);

/** The lines of the header above a quoted letter. */
const LABELS: readonly (readonly [what: "from" | "sent" | "to" | "subject", pattern: RegExp])[] = [
  ["from", /^(?:From|Von|De|Da|Van|Från|Fra|Lähettäjä|Od|От|Від|Kimden|Gönderen|Feladó|De la|Από|差出人|发件人|寄件者|보낸 사람) ?[:：] ?\S/i],
  ["sent", /^(?:Sent|Date|Gesendet|Datum|Envoyé|Enviado(?: el| em)?|Enviada(?: em)?|Fecha|Data|Inviato|Verzonden|Skickat|Sendt|Dato|Lähetetty|Päivämäärä|Wysłano|Odesláno|Отправлено|Дата|Надіслано|Gönderme Tarihi|Tarih|Elküldve|Trimis|Ημερομηνία|送信日時|日付|发送时间|日期|寄件日期|보낸 날짜) ?[:：] ?\S/i],
  ["to", /^(?:To|An|À|A|Para|Aan|Till|Til|Vastaanottaja|Do|Komu|Кому|Kime|Alıcı|Címzett|Către|Προς|宛先|收件人|收件者|받는 사람) ?[:：] ?\S/i],
  ["subject", /^(?:Subject|Betreff|Objet|Asunto|Assunto|Oggetto|Onderwerp|Ämne|Emne|Aihe|Temat|Předmět|Тема|Konu|Tárgy|Subiect|Θέμα|件名|主题|主旨|제목) ?[:：]/i],
];
const OTHER_LABEL = /^(?:Cc|Bcc|Kopie|Copie|Kopia|Kopi|Reply-To|Antwort an|Attachments?|Anlagen?|Importance|Priority|Message-ID) ?[:：]/i;

/** Which line of such a header this is; null where none. Bold as in Markdown counts too. */
export function headerLine(line: string): "from" | "sent" | "to" | "subject" | "other" | null {
  if (line.length > MAX_LINE || !/^.{1,30}[:：]/.test(line)) return null;
  const plain = line.replace(/^\*{1,2}|\*{1,2}(?=\s|$)/g, "").replace(/:\*{1,2}/, ":");
  return LABELS.find(([, pattern]) => pattern.test(plain))?.[0] ?? (OTHER_LABEL.test(plain) ? "other" : null);
}

/** "Sent from my iPhone" and its like. */
const SENT_FROM: readonly RegExp[] = [
  /^Sent (?:from|via|with|using) (?:my |the )?(?:iPhone|iPad|iPod|Android|Samsung|Galaxy|BlackBerry|Windows|Nokia|HTC|Huawei|Pixel|mobile|phone|tablet|Mail for Windows|Outlook|Yahoo|Gmail|ProtonMail|Proton Mail|AOL|Mailspring|Superhuman|Thunderbird|K-9)\b.{0,80}$/i,
  /^(?:Von meinem|Von meiner|Gesendet von|Gesendet mit|Diese Nachricht wurde von meinem) .{0,60}(?:iPhone|iPad|Android|Samsung|Galaxy|Handy|Smartphone|Tablet|Outlook|Mail|Mobil\w*|Windows|Huawei).{0,40}$/i,
  /^(?:Envoyé (?:de|depuis|à partir de)) .{0,20}(?:iPhone|iPad|Android|Samsung|Galaxy|mobile|téléphone|smartphone|Outlook|Yahoo|Courrier).{0,40}$/i,
  /^(?:Enviado (?:desde|do|de|a partir do|con)|Enviada do) .{0,20}(?:iPhone|iPad|Android|Samsung|Galaxy|móvil|telemóvel|celular|Outlook|Yahoo|Correo).{0,40}$/i,
  /^Inviato da(?:l|lla)? .{0,20}(?:iPhone|iPad|Android|Samsung|Galaxy|cellulare|Outlook|Yahoo|Libero).{0,40}$/i,
  /^(?:Verstuurd|Verzonden) vanaf .{0,20}(?:iPhone|iPad|Android|Samsung|Galaxy|mobiel|telefoon|Outlook).{0,40}$/i,
  /^(?:Skickat från|Sendt fra|Lähetetty|Wysłane z|Wysłano z|Odesláno z|Отправлено с|Надіслано з) .{0,30}(?:iPhone|iPad|Android|Samsung|Galaxy|mobil\w*|telefon\w*|puhelimesta|Outlook|Mail|Почты).{0,40}$/i,
  /^iPhone(?:から送信|'?dan gönderildi|'?umdan gönderildi)$/i,
  /^发自我的 ?(?:iPhone|iPad|手机|华为.*|小米.*)$/,
  /^Get (?:Outlook|BlueMail|TypeApp) for (?:iOS|Android|Mac)\b.{0,120}$/i,
  /^(?:Virus-free|Avast|This (?:e-?mail|message) (?:has been|was) (?:checked|scanned) (?:for viruses|by)).{0,160}$/i,
  /^(?:Please|Bitte|Merci de) (?:consider|prüfen|think|penser|denken).{0,60}(?:environment|umwelt|environnement).{0,80}$/i,
];
export const isSentFrom = (line: string): boolean => line.length <= MAX_LINE && SENT_FROM.some((pattern) => pattern.test(line));

/** What mailing lists add below; from there on nothing is the writer's. */
export const isListFooter = (line: string): boolean =>
  line.length <= MAX_LINE && (/^You(?:'re| are)? (?:receiv(?:ed|ing) this (?:message|e-?mail) because|are subscribed to)/i.test(line) || /^To (?:unsubscribe|stop receiving e-?mails) from this (?:group|list)/i.test(line) || /^(?:\S+ ){1,6}mailing list$/i.test(line));

/** Phrases of a firm's notice below its letters. Two kinds must come together. */
const NOTICE: readonly RegExp[] = [
  /\b(?:confidential|privileged|vertraulich\w*|confidentiel\w*|confidencial\w*|riservat[oae]|confidenzial\w*|vertrouwelijk\w*|konfidentiell\w*|fortrolig\w*)\b/i,
  /\b(?:intended (?:solely|only|exclusively)|intended recipient|addressee|named above|bestimmt|adressat\w*|destinataires?|destinatari[oa]s?|geadresseerde|mottagare\w*|modtager\w*)\b/i,
  /\b(?:in error|by mistake|irrtümlich\w*|par erreur|por error|por engano|per errore|abusivamente|ten onrechte|felaktigt|ved en fejl)\b/i,
  /\b(?:notify the sender|inform the sender|delete (?:it|this)|unauthori[sz]ed|strictly prohibited|absender|vernichten|supprimer|expéditeur|eliminar|remitente|cancellarlo|mittente|afzender|avsändaren)\b/i,
  /\b(?:e-?mails?|message|attachments?|nachricht|anhänge?|courriel|mensaje|mensagem|messaggio|bericht|meddelande\w*)\b/i,
];
/** Whether a paragraph is such a notice: at least four of its five kinds of phrases. */
export const isNotice = (paragraph: string): boolean => NOTICE.filter((pattern) => pattern.test(paragraph)).length >= 4;
