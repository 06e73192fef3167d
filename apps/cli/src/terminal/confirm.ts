import { once } from 'node:events'
import { createInterface } from 'node:readline/promises'

/** Whether somebody is there who can be asked. */
export const isInteractive = (json: boolean): boolean =>
  !json && process.stdin.isTTY === true && process.stderr.isTTY === true

/** Asks on standard error, and resolves with whether `answer` was typed: whoever types the number has read it. */
export async function confirm(question: string, answer: string, signal: AbortSignal): Promise<boolean> {
  const asking = createInterface({ input: process.stdin, output: process.stderr })
  // While it reads, Ctrl-C is a key like others.
  asking.once('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  // Ctrl-D: no further key comes. Earlier versions of Node then leave the question unanswered, later ones reject.
  const ended = once(asking, 'close').then(() => '')
  const asked = asking.question(question, { signal }).catch(() => '')
  try {
    const typed = await Promise.race([asked, ended])
    signal.throwIfAborted()
    return typed.trim() === answer
  } finally {
    asking.close()
  }
}
