/** Colour a complete block of code, by what is loaded with the first one. @param {HTMLElement} block */
export async function paint(block) {
  try {
    const { colour } = await import("../markdown/code.js");
    await colour(block);
  } catch (error) {
    console.warn("Clawsite: code stays without colours:", error);
  }
}
