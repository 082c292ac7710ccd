/** What TypeScript needs to know of the element of chat.js; see docs/widget.md. */
import type { ClientTool, Message, PageContext, StreamEvent, ToolUse, WidgetSettings } from "./types.js";

export type { ClientTool, Message, PageContext, StreamEvent, ToolUse, WidgetSettings } from "./types.js";

/** What a page may say beside the agent's own settings; `pageData` may be asked for with each message. */
export type PageSettings = Omit<WidgetSettings, "pageData" | "shareImage" | "shareText" | "texts"> & {
  pageData?: Record<string, any> | (() => Record<string, any> | undefined);
  /** Of one language, or by language. */
  texts?: Record<string, string> | Record<string, Record<string, string>>;
};

/** The identity of the visitor: a token of your backend, or a function that fetches one; null is a visitor without a name. */
export type Identity = string | null | (() => string | null | Promise<string | null>);

type Said<Detail = null> = CustomEvent<Detail>;

/** The events of the element, which bubble. Those with a remark can be prevented. */
export interface ClawChatEventMap {
  "claw:ready": Said;
  /** It stays closed. */
  "claw:open": Said;
  /** It stays open. */
  "claw:close": Said;
  /** It is not sent. */
  "claw:send": Said<{ text: string }>;
  "claw:message": Said<{ message: Message }>;
  "claw:event": Said<StreamEvent>;
  /** The answer `message` stands in `element`, complete; the page may change what is in it. */
  "claw:render": Said<{ message: Message; element: HTMLElement }>;
  /** `element` is shown in place of the card of this call and its result. */
  "claw:tool": Said<{ tool: ToolUse; element: HTMLElement }>;
  /** It is not stored. */
  "claw:feedback": Said<{ message: Message; rating: "up" | "down" | null; comment?: string }>;
  /** It is not followed. */
  "claw:link": Said<{ url: string }>;
  /** It is not shown. */
  "claw:bubble": Said<{ text: string }>;
  /** No mail program opens. */
  "claw:contact": Said<{ name: string; email: string; message: string }>;
  /** It goes on. */
  "claw:new": Said;
  /** It is not sent. */
  "claw:rating": Said<{ conversationId: string; rating: number; comment?: string }>;
  /** It is not saved. */
  "claw:transcript": Said<{ text: string; messages: Message[] }>;
  "claw:error": Said<{ code: string; error: unknown }>;
}

/** `<claw-chat agent="my-agent">`: a chat with an agent. */
export class ClawChat extends HTMLElement {
  identity: Identity;
  /** How the chat looks and what it offers. */
  get settings(): PageSettings;
  set settings(settings: PageSettings | null);
  /** What the agent can have done in this page. */
  get tools(): ClientTool[];
  set tools(tools: ClientTool[] | null);
  /** The agent's address. */
  readonly base: string;
  readonly locale: string;
  /** Whether it is a button in the corner, and not a part of the page. */
  readonly floating: boolean;
  readonly messages: Message[];
  open(): void;
  close(): void;
  /** Say something in the visitor's name; false if the page did not allow it. `replaces`: the id of a message of theirs. */
  send(text: string, replaces?: string): boolean;
  /** `open()` and `send()`. */
  ask(text: string): boolean;
  /** Write in the visitor's place, for them to send. */
  prefill(text: string): void;
  /** Show a few words beside the button of a closed chat. */
  showBubble(text: string): Promise<void>;
  /** Stop the answer that is coming. */
  stop(): void;
  newConversation(): void;
  addEventListener<Name extends keyof ClawChatEventMap>(
    name: Name,
    listener: (this: ClawChat, event: ClawChatEventMap[Name]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    name: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

/** The attributes of the element, for JSX: settings as text, what is no text as JSON. */
export interface ClawChatAttributes {
  agent?: string;
  base?: string;
  mode?: "inline" | "page";
  open?: boolean | "";
  name?: string;
  greeting?: string;
  locale?: string;
  dir?: "ltr" | "rtl" | "auto";
  identity?: string;
  accent?: string;
  avatar?: string;
  bubble?: string;
  consent?: string;
  disclaimer?: string;
  "follow-ups"?: string;
  greetings?: string;
  "header-color"?: string;
  height?: string | number;
  hours?: string;
  "launcher-icon"?: string;
  "launcher-text"?: string;
  logo?: string;
  "page-context"?: boolean | string;
  "page-data"?: string;
  position?: WidgetSettings["position"];
  radius?: string | number;
  rating?: boolean | "";
  resizable?: boolean | "";
  "slash-prompts"?: string;
  sound?: boolean | "";
  texts?: string;
  theme?: WidgetSettings["theme"];
  transcript?: boolean | "";
  "transcript-email"?: boolean | "";
  "unread-title"?: boolean | "";
  width?: string | number;
}

declare global {
  interface HTMLElementTagNameMap {
    "claw-chat": ClawChat;
  }
  /** So that `document` and `window` know the events that bubble to them. */
  interface DocumentEventMap extends ClawChatEventMap {}
  interface WindowEventMap extends ClawChatEventMap {}
}
