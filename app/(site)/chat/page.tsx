/** Chat: talk with the model as it was taught, as it came, or both; go on with a text; write from key words. */
import type { Metadata } from "next";
import { ChatScreen } from "../../chat/chat-screen";

export const metadata: Metadata = { title: "Chat" };

export default function ChatPage() {
  return <ChatScreen />;
}
