// The parser alone: its own renderer would let `javascript:` links through (static/claw/markdown.js
// has ours).
export { Attr, Token, parser, parser_end, parser_write } from "streaming-markdown";
