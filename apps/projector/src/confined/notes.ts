import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { noteBytes, nothingNoted } from './fold-protocol.ts'

export interface Notes {
  readonly fd: number
  /** The last note, if there is one. */
  read(): number | undefined
  forget(): void
  close(): void
}

/** A file without a name: only a process that has it open can reach it. */
export function openNotes(): Notes {
  const folder = mkdtempSync(join(tmpdir(), 'sekali-notes-'))
  const fd = openSync(join(folder, 'note'), 'wx+', 0o600)
  rmSync(folder, { recursive: true })
  const buffer = Buffer.alloc(noteBytes)
  const forget = () => {
    buffer.writeUInt32LE(nothingNoted)
    writeSync(fd, buffer, 0, noteBytes, 0)
  }
  forget()
  return {
    fd,
    read() {
      readSync(fd, buffer, 0, noteBytes, 0)
      const at = buffer.readUInt32LE()
      return at === nothingNoted ? undefined : at
    },
    forget,
    close: () => closeSync(fd),
  }
}
