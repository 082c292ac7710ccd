/** Whether the reader has selected something in an element, which may lie in a shadow. @param {Element} element */
export function selectedIn(element) {
  const root = /** @type {{getSelection?: () => Selection | null}} */ (/** @type {unknown} */ (element.getRootNode()));
  const selection = root.getSelection?.() ?? document.getSelection();
  return !!selection && !selection.isCollapsed && selection.containsNode(element, true);
}
