/**
 * What web pages and note-taking programs set around a text: buttons, labels,
 * lists of tags, comment counts, dates of creation, licences. Each pattern is
 * for one whole line without the blank space around it. What could also be a
 * writer's line ("Menu", "Share") counts only beside what could not.
 */

/** No label or button is longer, in characters. */
export const MAX_FURNITURE = 120;

/** Lines that only a page has. */
const FURNITURE: readonly RegExp[] = [
  /^(?:Share|Spread|Like|Rate) this(?: (?:post|article|story|entry|page|the word))?:?$/i,
  /^Share (?:this )?(?:on|via|to) (?:Facebook|Twitter|X|LinkedIn|Pinterest|WhatsApp|Reddit|Email|Tumblr|Telegram|Mastodon|Bluesky)\b.{0,60}$/i,
  /^(?:Click to (?:share|email|print)|Tweet this|Pin it|Email this post)\b.{0,80}$/i,
  /^\(?Opens in (?:a )?new window\)?$/i,
  /^Like Loading(?:\.\.\.|…)?$/i,
  /^Be the first to like this\.?$/i,
  /^\d+ bloggers? like this\.?$/i,
  /^(?:Posted|Filed|Tagged|Categori[sz]ed|Archived) (?:in|under|as|with|by):? \S.{0,99}[^.!?,;:]$/i,
  /^(?:Posted|Published|Updated) (?:on|at):? .{0,20}\d.{0,60}[^.!?,;:]$/i,
  /^(?:Posted|Published|Written) by \S.{0,40} (?:on|at) .{0,20}\d.{0,40}$/i,
  /^This entry was posted (?:in|on|by) .{1,110}$/i,
  /^Bookmark the permalink\.?$/i,
  /^(?:Leave|Post|Add|Write) a (?:comment|reply)(?: .{0,40})?$/i,
  /^(?:No|\d{1,5}) (?:comments?|responses?|replies|likes|shares|views|claps|reads)(?: on .{1,80})?:?$/i,
  /^Comments (?:\(\d+\)|are closed\.?|are off\.?|off)$/i,
  /^(?:Read|Continue|Keep) reading(?: .{0,60})?(?:→|»|\.\.\.|…)$/i,
  /^(?:Read more|Continue reading|Learn more) ?(?:→|»|\.\.\.|…)?$/i,
  /^← ?\S.{0,80}$/,
  /^(?:Previous|Next|Older|Newer) (?:post|article|entry|entries|posts|story)s?:?(?: .{0,80})?$/i,
  /^(?:You may also like|You might also (?:like|enjoy)|Related (?:posts|articles|reading|stories)|More from .{1,60}|Recommended for you|Popular posts|Recent (?:posts|comments)):?$/i,
  /^Subscribe to (?:our|my|this|the|get) .{1,80}$/i,
  /^(?:Sign up|Subscribe) (?:for|now|here|via).{0,80}$/i,
  /^Enter your (?:e-?mail|email address).{0,100}$/i,
  /^Join \d[\d,.]* other (?:followers|subscribers).{0,40}$/i,
  /^Follow (?:me|us) on .{1,60}$/i,
  /^Skip to (?:main )?content$/i,
  /^(?:We use|This (?:web)?site uses) cookies.{0,100}$/i,
  /^\d{1,3} min(?:ute)?s? read$/i,
  /^(?:Proudly )?powered by (?:WordPress|Blogger|Ghost|Tumblr|Squarespace|Jekyll|Hugo|Wix|Medium|Substack)\b.{0,60}$/i,
  /^(?:Blog at WordPress\.com|Create a (?:free )?website or blog at WordPress\.com|Start a blog at WordPress\.com)\.?$/i,
  /^Theme: .{1,60} by .{1,40}$/i,
  /^(?:Thanks for reading .{1,60}! Subscribe|Type your email…).{0,80}$/i,
];
/** Lines that a page has, and a writer may have. */
const AMBIGUOUS = /^(?:Share|Tweet|Pin|Print|Email|Facebook|Twitter|X|LinkedIn|Pinterest|WhatsApp|Reddit|Tumblr|Telegram|Mastodon|More|Menu|Search|Home|About|Contact|Archives?|Related|Tags?|Categories|Like|Reblog|Reply|Loading\.\.\.|Loading…|Advertisements?|Log ?in|Sign in|Subscribe|Previous|Next|Follow|Comments?|Uncategorized|RSS)(?::.{0,80})?$/i;

export const isFurniture = (line: string): boolean => line.length <= MAX_FURNITURE && FURNITURE.some((pattern) => pattern.test(line));
export const mayBeFurniture = (line: string): boolean => line.length <= MAX_FURNITURE && AMBIGUOUS.test(line);

/** Where the comments of others may begin. */
export const headsComments = (line: string): boolean =>
  line.length <= MAX_FURNITURE && (/^\d{1,5} (?:thoughts?|responses?|comments?|replies) (?:on|to) .{1,110}$/i.test(line) || /^(?:\d{1,5} (?:comments?|responses?|replies)|Comments(?: \(\d+\))?):?$/i.test(line) || /^(?:Leave|Post|Add|Write) a (?:comment|reply)$/i.test(line));
/** What stands among comments, or in the form for another. */
export const isOfComments = (line: string): boolean =>
  line.length <= MAX_FURNITURE && /^(?:.{1,60} (?:says|said|wrote|writes)(?::|\.\.\.|…)|Reply|.{1,60}\bat \d{1,2}:\d{2} ?(?:[ap]m)?|Your e-?mail address will not be published.*|Name \*|Email \*|Save my name.*|Notify me of .*)$/i.test(line);

/** A labelled line that a note-taking program or diary app writes above an entry, and whether its value is a date. */
const NOTE_LABEL = /^[-*]?\s*\*{0,2}(Created|Created at|Created on|Created time|Created by|Creation date|Date|Date created|Modified|Modified at|Date modified|Updated|Updated at|Last (?:edited|modified|updated)(?: time| by)?|Edited|Exported|Exported (?:on|from)|Tags?|Labels?|Keywords|Author|Source|Source URL|URL|Location|Place|Weather|Notebook|Folder|Stack|Journal|Mood|Starred|Pinned|ID|UUID|Note ID|Type|Status|Category|Device|Time ?zone|Photo|Altitude|Coordinates)\*{0,2}\s?:\*{0,2}(?:\s+(\S.{0,200}))?$/i;

export function noteLabel(line: string): { label: string; dated: boolean } | null {
  const match = line.length > 300 ? null : NOTE_LABEL.exec(line);
  return match === null ? null : { label: (match[1] as string).toLowerCase(), dated: /\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\d{1,2}:\d{2}|\b(?:19|20)\d\d\b/.test(match[2] ?? "") };
}

/** "Exported from Bear on 3 May 2021", "Created with Evernote". */
export const isExportNote = (line: string): boolean =>
  line.length <= MAX_FURNITURE && /^\W{0,3}(?:(?:Exported|Created|Sent|Shared|Written|Made|Saved) (?:from|with|by|using|in|via) (?:Evernote|Bear|Ulysses|Notion|Obsidian|Day One|Apple Notes|Notes|Google Keep|Keep|OneNote|Simplenote|Standard Notes|Joplin|Scrivener|iA Writer|Drafts|Craft|Roam|Logseq|Word|Google Docs|Notability|GoodNotes|Journey|Diarium|Penzu|750 ?Words|HackMD|Dropbox Paper)\b.{0,60}|Get Evernote.{0,60})$/i.test(line);

/** Whether a paragraph states rights in a text: "© 2021 Ann Lee. All rights reserved.", "This work is licensed under …". */
export function isRights(paragraph: string): boolean {
  if (paragraph.length > 500) return false;
  const text = paragraph.replace(/\s+/g, " ").replace(/^[^\p{L}©(]+/u, "");
  if (/^(?:Copyright|©|\(c\)).{0,60}\b(?:1[6-9]|20)\d\d\b/i.test(text) && (text.length <= 60 || /©|\(c\)|rights reserved/i.test(text))) return true;
  return /^(?:Copyright|©|\(c\)).{1,80}rights reserved/i.test(text) || /^All rights reserved\b/i.test(text)
    || /^(?:(?:Except where otherwise noted|Unless otherwise (?:noted|stated)),? .{0,60}?)?(?:This|The) .{1,60} (?:is|are) (?:licensed|released|published|made available) under .{0,60}(?:licen[cs]e|Creative Commons|CC[ -]|GPL|MIT)/i.test(text)
    || /^Licen[cs]ed under .{0,40}(?:licen[cs]e|Creative Commons|CC[ -])/i.test(text);
}
