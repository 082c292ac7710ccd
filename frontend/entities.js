// The names of HTML's character references; a page with Trusted Types cannot ask the browser.
export { characterEntities } from "character-entities";
