import { createOutput } from '@sekali/process/log-output'

const standardError = createOutput(2, (dropped) => `${secondsNow()} s  ${dropped} lines could not be written`)

/**
 * Reports on standard error what a part of the system does, one line each, with the seconds since the start. Where that is a
 * file on a full disk, it ends nothing.
 */
export function narrate(part: string, what: string): void {
  standardError.write(`${secondsNow()} s  ${part} ${what}\n`)
}

const secondsNow = () => (performance.now() / 1_000).toFixed(1).padStart(5)
