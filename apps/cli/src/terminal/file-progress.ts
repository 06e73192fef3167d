import { fstatSync } from 'node:fs'
import process from 'node:process'
import type { WriteStream } from 'node:tty'
import { openProgress, type Progress } from '@sekali/process/progress'

/** How far a file is that standard output goes to. Where it goes to a pipe or a terminal, what comes is progress enough. */
export interface FileProgress extends Disposable {
  /** A line was written. */
  note(line: string): void
}

/** What is done sooner needs none. */
const patienceMs = 1_000
const clockEvery = 256

export function openFileProgress(
  stream: WriteStream = process.stderr,
  isFile = isStandardOutputAFile(),
): FileProgress {
  const beganAt = performance.now()
  let progress: Progress | undefined
  let lines = 0
  let bytes = 0
  return {
    note(line) {
      if (!isFile) return
      lines += 1
      bytes += Buffer.byteLength(line) + 1
      if (lines % clockEvery !== 0) return
      if (progress === undefined && performance.now() - beganAt < patienceMs) return
      if (progress === undefined) {
        progress = openProgress(stream)
        progress.stage('events')
      }
      progress.update(lines, `${(bytes / 1e6).toFixed(1)} MB`)
    },
    [Symbol.dispose]() {
      progress?.update(lines, `${(bytes / 1e6).toFixed(1)} MB`)
      progress?.[Symbol.dispose]()
    },
  }
}

function isStandardOutputAFile(): boolean {
  try {
    return fstatSync(process.stdout.fd).isFile()
  } catch {
    return false
  }
}
