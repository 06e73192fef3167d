import process from 'node:process'

/** Reports on standard error what a part of the system does, one line each, with the seconds since the start. */
export function narrate(part: string, what: string): void {
  const seconds = (performance.now() / 1_000).toFixed(1).padStart(5)
  process.stderr.write(`${seconds} s  ${part} ${what}\n`)
}
