/** Tells what is being done, on standard error: standard output belongs to what runs. */
export function say(line) {
  process.stderr.write(`${line}\n`)
}
