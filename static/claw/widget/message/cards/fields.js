import { make } from "../../dom/elements.js";

/** @typedef {{title?: string, description?: string, type?: string, enum?: string[], enumNames?: string[], default?: unknown}} Field */
/** @typedef {HTMLInputElement | HTMLSelectElement} Control */

/** The fields of a form, from its JSON Schema: an object whose properties are plain values. */
export class Fields {
  element = make("div", { class: "fields" });
  /** @type {Map<string, {field: Field, control: Control}>} */
  #controls = new Map();

  /** @param {any} schema */
  constructor(schema) {
    const required = new Set(schema.required ?? []);
    for (const [name, field] of Object.entries(schema.properties ?? {})) {
      const control = controlOf(field);
      control.required = required.has(name) && field.type !== "boolean";
      this.#controls.set(name, { field, control });
      const said = make("span", { dir: "auto" }, field.title || name);
      const about = field.description ? [make("small", { dir: "auto" }, field.description)] : [];
      const parts = field.type === "boolean" ? [control, said] : [said, control];
      this.element.append(make("label", { class: field.type === "boolean" ? "check" : "" }, ...parts, ...about));
    }
  }

  /** The values of the fields; an empty field is left out. */
  get value() {
    /** @type {Record<string, unknown>} */
    const value = {};
    for (const [name, { field, control }] of this.#controls) {
      if (field.type === "boolean") value[name] = /** @type {HTMLInputElement} */ (control).checked;
      else if (control.value === "") continue;
      else value[name] = ["integer", "number"].includes(field.type ?? "") ? Number(control.value) : control.value;
    }
    return value;
  }
}

/** @param {Field} field @returns {Control} */
function controlOf(field) {
  if (Array.isArray(field.enum)) {
    const select = /** @type {HTMLSelectElement} */ (make("select", { dir: "auto" }));
    const options = field.enum.map((value, at) => make("option", { value }, field.enumNames?.[at] ?? String(value)));
    select.append(make("option", { value: "" }, "–"), ...options);
    select.value = String(field.default ?? "");
    return select;
  }
  const kinds = { boolean: "checkbox", integer: "number", number: "number" };
  const type = kinds[/** @type {keyof typeof kinds} */ (field.type)] ?? "text";
  const input = /** @type {HTMLInputElement} */ (make("input", { type, dir: "auto" }));
  if (type === "number") input.step = field.type === "integer" ? "1" : "any";
  if (type === "checkbox") input.checked = field.default === true;
  else if (field.default !== undefined) input.value = String(field.default);
  return input;
}
