// Changes what stands into what shall stand, and touches nothing that is the same: a selection and
// a scroll position survive, and text grows at its end.

/**
 * Change the children of an element that come after one of them; null stands before the first.
 * @param {Element} parent @param {ChildNode | null} last @param {Node[]} wanted
 */
export function patchChildren(parent, last, wanted) {
  let present = last ? last.nextSibling : parent.firstChild;
  for (const node of wanted) {
    const next = present?.nextSibling ?? null;
    if (!present) parent.append(node);
    else if (!patch(present, node)) present.replaceWith(node);
    present = next;
  }
  while (present) {
    const next = present.nextSibling;
    present.remove();
    present = next;
  }
}

/** Make a node like another one; false if they are not of a kind. @param {Node} present @param {Node} wanted */
export function patch(present, wanted) {
  if (present instanceof Text && wanted instanceof Text) {
    setText(present, 0, wanted.data);
    return true;
  }
  if (!(present instanceof Element) || !(wanted instanceof Element) || present.localName !== wanted.localName) return false;
  for (const { name } of [...present.attributes]) if (!wanted.hasAttribute(name)) present.removeAttribute(name);
  for (const { name, value } of wanted.attributes) if (present.getAttribute(name) !== value) present.setAttribute(name, value);
  patchChildren(present, null, [...wanted.childNodes]);
  return true;
}

/** Change a text from an index on. @param {Text} node @param {number} from @param {string} wanted */
export function setText(node, from, wanted) {
  const present = node.data.slice(from);
  if (present === wanted) return;
  if (wanted.startsWith(present)) node.appendData(wanted.slice(present.length));
  else node.replaceData(from, present.length, wanted);
}
