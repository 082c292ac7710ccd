// The renderer of answers, for pages that show answers in their own way: see docs/widget.md.
export { Markdown } from "./widget/markdown/markdown.js";
