/**
 * Watches the disk under the data folder. A full one ends nothing here: Redis and PostgreSQL refuse what they cannot write,
 * or end and are started again until they can, and the gateway answers 503 meanwhile. People are told why, once, and that it
 * is over.
 */
import { statfsSync } from 'node:fs'
import { fileTrouble } from '../../set-up/file-trouble.mjs'

export interface Disk extends Disposable {
  /** A file of ours could not be written. `again` is called when it is time to try again. Throws errors of another kind. */
  onTrouble(error: unknown, again: () => void): void
}

/** Less than Redis and PostgreSQL need for their next files. */
const bytesMin = 2 * 2 ** 20
/** What comes free by chance does not look like room yet. */
const bytesEnough = 8 * 2 ** 20
const lookMs = 1_000

/** `readFree` says how many bytes an ordinary user may still write there. */
export function watchDisk(
  dir: string,
  say: (part: string, what: string) => void,
  readFree: (dir: string) => number | undefined = readFreeBytes,
): Disk {
  let isFull = false
  let said: string | undefined
  let retry: (() => void) | undefined

  const measure = () => {
    const bytes = readFree(dir)
    if (bytes === undefined) return
    if (!isFull && bytes < bytesMin) {
      isFull = true
      say('the disk', `of ${dir} is full, ${counted(bytes)} are free: make room. ${whatHappens}`)
    } else if (isFull && bytes >= bytesEnough) {
      isFull = false
      say('the disk', `of ${dir} has room again: ${counted(bytes)} are free`)
    }
  }
  const look = () => {
    measure()
    const again = retry
    retry = undefined
    if (again === undefined) said = undefined
    else again() // and is back here at once if it fails again
  }
  const looking = setInterval(look, lookMs).unref()
  return {
    onTrouble(error, again) {
      const words = fileTrouble(error)
      if (words === undefined) throw error
      measure()
      if (words !== said && !isFull) {
        say('the file', `${words} (${counted(readFree(dir) ?? 0)} are free). It is written again by itself`)
      }
      said = words
      retry = again
    },
    [Symbol.dispose]: () => clearInterval(looking),
  }
}

const whatHappens =
  'While Redis or PostgreSQL cannot write, publishing is answered 503 or what is published waits in Redis; ' +
  'all goes on by itself when there is room'

const counted = (bytes: number): string => `${bytes.toLocaleString('en-US')} bytes`

/** Undefined where it cannot be told: the folder is gone, or on a file system that does not count. */
function readFreeBytes(dir: string): number | undefined {
  try {
    const { bavail, bsize, blocks } = statfsSync(dir)
    return blocks === 0 ? undefined : bavail * bsize
  } catch {
    return undefined
  }
}
