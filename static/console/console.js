// Behaviours of the console's pages; each module finds what it needs by its data attributes.
import "./menu.js";
import "./times.js";
import "./keyboard.js";
import "./copying.js";
import "./confirming.js";
import "./api.js";
import "./downloading.js";
