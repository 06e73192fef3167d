import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'
import {
  type BackupHeader,
  blockBytes,
  checksumOf,
  digestName,
  format,
  headerName,
  paddedBytes,
} from './format.ts'
import { BackupDamaged } from './refused.ts'

/** A file or folder of the data folder. The content of a file is to be read before the next one is asked for. */
export interface BackupEntry {
  /** From the data folder. */
  readonly path: string
  readonly isFolder: boolean
  /** As of chmod. */
  readonly mode: number
  readonly content: AsyncIterable<Buffer>
}

export interface OpenBackup extends AsyncDisposable {
  readonly header: BackupHeader
  /** What it has, in order. Ends well only if the file is whole and no byte of it has changed. */
  readonly entries: AsyncIterable<BackupEntry>
}

/** Opens the file of a backup. Throws {@link BackupDamaged} if it is none, or of a format that this version does not know. */
export async function openBackup(file: string): Promise<OpenBackup> {
  const source = createReadStream(file)
  const unzipped = createGunzip()
  // Node names no file when a read fails. An error that comes when nobody reads any more is nobody's.
  source.on('error', (error) => unzipped.destroy(Object.assign(error, { path: file })))
  unzipped.on('error', () => undefined)
  source.pipe(unzipped)
  const close = async () => {
    source.destroy()
    unzipped.destroy()
  }
  const digest = createHash('sha256')
  const bytes = inPieces(unzipped)
  try {
    const header = await readHeader(bytes, digest)
    return { header, entries: readEntries(file, bytes, digest), [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    if (isOfFile(error)) throw error
    throw new BackupDamaged(
      error instanceof BackupDamaged
        ? `${file} ${error.message}`
        : `${file} is no backup that this version of Sekali has made.`,
      { cause: error },
    )
  }
}

/** What the system says of the file, not what is in it. */
const isOfFile = (error: unknown): boolean => error instanceof Error && 'syscall' in error

async function readHeader(bytes: Pieces, digest: Hash): Promise<BackupHeader> {
  const block = await bytes.take(blockBytes)
  const { name, size } = parseBlock(block)
  if (name !== headerName || size > 2 ** 20) throw new Error('another archive')
  const content = await bytes.take(paddedBytes(size))
  digest.update(block).update(content)
  const header = JSON.parse(content.toString('utf8', 0, size)) as BackupHeader
  if (header.format > format) {
    throw new BackupDamaged(
      `is a backup of a later version of Sekali (${header.sekali}): restore it with that.`,
    )
  }
  return header
}

async function* readEntries(file: string, bytes: Pieces, digest: Hash): AsyncGenerator<BackupEntry> {
  try {
    for (;;) {
      const block = await bytes.take(blockBytes)
      const { name, size, type, mode } = parseBlock(block)
      if (name === digestName) {
        const noted = (await bytes.take(paddedBytes(size))).toString('utf8', 0, size).trim()
        if (noted !== digest.digest('hex')) throw new Error('the digest is another one')
        return
      }
      digest.update(block)
      const content = noting(file, bytes.pass(size), digest)
      yield { path: pathIn(name), isFolder: type === '5', mode, content }
      digest.update(await bytes.take(paddedBytes(size) - size))
    }
  } catch (error) {
    throw asDamage(file, error)
  }
}

function asDamage(file: string, error: unknown): unknown {
  if (isOfFile(error)) return error
  return new BackupDamaged(`${file} is not whole, or has been changed. Restore another backup.`, {
    cause: error,
  })
}

/** Its errors are the reader's of the content, who asks for them here. */
async function* noting(file: string, content: AsyncGenerator<Buffer>, digest: Hash): AsyncGenerator<Buffer> {
  for (;;) {
    const { value, done } = await content.next().catch((error: unknown) => {
      throw asDamage(file, error)
    })
    if (done) return
    digest.update(value)
    yield value
  }
}

/** What a header says. PostgreSQL writes files, folders and no names longer than 100 bytes. */
function parseBlock(block: Buffer) {
  const text = (from: number, bytes: number) =>
    block.toString('latin1', from, from + bytes).replace(/\0.*$/s, '')
  const number = (from: number, bytes: number) => Number.parseInt(text(from, bytes).trim() || '0', 8)
  const type = text(156, 1)
  if (number(148, 8) !== checksumOf(block) || !/^[05]$/.test(type)) throw new Error('no header of an archive')
  return { name: text(0, 100), size: type === '5' ? 0 : number(124, 12), mode: number(100, 8), type }
}

/** A path that stays in the folder. */
function pathIn(name: string): string {
  const path = name.replace(/^\.\//, '').replace(/\/$/, '')
  if (path.startsWith('/') || path.split('/').includes('..')) throw new Error('a path that leads elsewhere')
  return path
}

interface Pieces {
  /** So many bytes, at once. */
  take(bytes: number): Promise<Buffer>
  /** So many bytes, as they come. */
  pass(bytes: number): AsyncGenerator<Buffer>
}

/** Reads a stream by counts of bytes. Throws at its end if there are not as many. */
function inPieces(stream: AsyncIterable<Buffer>): Pieces {
  const chunks = stream[Symbol.asyncIterator]()
  let rest: Buffer = Buffer.alloc(0)
  async function* pass(bytes: number): AsyncGenerator<Buffer> {
    for (let left = bytes; left > 0; ) {
      if (rest.length === 0) {
        const next = await chunks.next()
        if (next.done) throw new Error('it ends too early')
        rest = next.value
      }
      const piece = rest.subarray(0, left)
      rest = rest.subarray(piece.length)
      left -= piece.length
      yield piece
    }
  }
  return {
    pass,
    take: async (bytes) => {
      const pieces: Buffer[] = []
      for await (const piece of pass(bytes)) pieces.push(piece)
      return Buffer.concat(pieces)
    },
  }
}
