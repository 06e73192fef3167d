import { createHash } from 'node:crypto'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { constants, createGzip } from 'node:zlib'
import { UsageError } from '../command/usage-error.ts'
import { type BackupHeader, digestName, endBytes, entryOf, headerName } from './format.ts'

export interface Written {
  /** Of the file. */
  readonly bytes: number
}

/**
 * Writes a backup into a new file that only its owner can read: all of PostgreSQL is in it. The file has its name once it is
 * whole and on disk. `tar` is PostgreSQL's data folder as an archive; `onBytes` is told how many bytes of it there were.
 */
export async function writeBackup(
  file: string,
  header: BackupHeader,
  tar: AsyncIterable<Buffer>,
  { onBytes, signal }: { readonly onBytes: (bytes: number) => void; readonly signal: AbortSignal },
): Promise<Written> {
  const part = `${file}.part`
  const handle = await openNew(part)
  try {
    // What is quick to compress leaves the system that runs beside it its processors.
    const gzip = createGzip({ level: constants.Z_BEST_SPEED })
    await pipeline(archiveOf(header, tar, onBytes), gzip, (compressed) => write(handle, compressed), {
      signal,
    })
    await handle.sync()
    const { size: bytes } = await handle.stat()
    await handle.close()
    await rename(part, file)
    await syncFolder(dirname(file))
    return { bytes }
  } catch (error) {
    await handle.close().catch(() => undefined) // closed already, or on a disk that errs: the first error counts
    await rm(part, { force: true })
    // Node names no file when a write fails.
    throw error instanceof Error && 'syscall' in error ? Object.assign(error, { path: part }) : error
  }
}

async function openNew(part: string): Promise<FileHandle> {
  return await open(part, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
    throw new UsageError(`${part} is there: another backup is writing it, or one was killed. Then delete it.`)
  })
}

async function write(handle: FileHandle, chunks: AsyncIterable<Buffer>): Promise<void> {
  for await (const chunk of chunks) await handle.writeFile(chunk)
}

async function* archiveOf(
  header: BackupHeader,
  tar: AsyncIterable<Buffer>,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  const digest = createHash('sha256')
  let bytes = 0
  const first = entryOf(headerName, `${JSON.stringify(header, undefined, 2)}\n`)
  digest.update(first)
  yield first
  for await (const chunk of withoutEnd(tar)) {
    digest.update(chunk)
    yield chunk
    bytes += chunk.length
    onBytes(bytes)
  }
  yield entryOf(digestName, `${digest.digest('hex')}\n`)
  yield Buffer.alloc(endBytes)
}

/** An archive without the empty blocks at its end, so that more may follow. */
async function* withoutEnd(tar: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer = Buffer.alloc(0)
  for await (const chunk of tar) {
    const all = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    const passed = Math.max(0, all.length - endBytes)
    if (passed > 0) yield all.subarray(0, passed)
    held = all.subarray(passed)
  }
  if (held.some((byte) => byte !== 0)) yield held
}

/** The name of a new file is on disk once its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path)
  await folder.sync().finally(() => folder.close())
}
