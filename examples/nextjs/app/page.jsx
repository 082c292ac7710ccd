"use client";

import { useChat } from "@ai-sdk/react";
import { useState } from "react";

/** A chat. A reload goes on with the answer that is being made. */
export default function Page() {
  const { messages, sendMessage, status, stop, error } = useChat({ id: "chat", resume: true });
  const [text, setText] = useState("");
  const busy = status === "submitted" || status === "streaming";
  const submit = (event) => {
    event.preventDefault();
    if (!text.trim() || busy) return;
    sendMessage({ text });
    setText("");
  };
  return (
    <main>
      <div role="log" aria-busy={busy}>
        {messages.map((message) => (
          <p key={message.id}>
            <b>{message.role === "user" ? "You" : "Agent"}: </b>
            {message.parts.map((part, place) => (part.type === "text" ? <span key={place}>{part.text}</span> : null))}
          </p>
        ))}
      </div>
      {error && <p role="alert">{error.message}</p>}
      <form onSubmit={submit}>
        <input aria-label="Message" value={text} onChange={(event) => setText(event.target.value)} />
        <button disabled={busy}>Send</button>
        {busy && <button type="button" onClick={stop}>Stop</button>}
      </form>
    </main>
  );
}
