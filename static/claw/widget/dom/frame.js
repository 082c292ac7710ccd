/** @type {Set<() => void>} */
const waiting = new Set();

/**
 * Run `job` with the next animation frame; asked for several times, it runs once. Everything that
 * changes the page while an answer streams goes through here: one write a frame.
 * @param {() => void} job
 */
export function nextFrame(job) {
  if (!waiting.size) requestAnimationFrame(run);
  waiting.add(job);
}

function run() {
  const jobs = [...waiting];
  waiting.clear();
  for (const job of jobs) job();
}
