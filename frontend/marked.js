// The lexer alone: no HTML is made (static/claw/widget/markdown makes elements).
export { Lexer, Tokenizer } from "marked";
