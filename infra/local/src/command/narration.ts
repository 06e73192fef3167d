import process from 'node:process'

/** Tells on standard error what becomes of what, one line each, with the seconds since the beginning. */
export function narrate(part: string, what: string): void {
  const seconds = (performance.now() / 1_000).toFixed(1).padStart(5)
  process.stderr.write(`${seconds} s  ${part} ${what}\n`)
}
