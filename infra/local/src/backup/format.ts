/**
 * The file of a backup: a tar archive, compressed by gzip, of
 *
 * - `sekali-backup.json`, the first: what the backup has
 * - the data folder of PostgreSQL
 * - `sekali-backup.sha256`, the last: the digest of all bytes of the archive before it. Without it the file is not whole.
 *
 * `tar -xzf` reads it as well. How an archive is laid out: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html
 */
export const headerName = 'sekali-backup.json'
export const digestName = 'sekali-backup.sha256'

export const blockBytes = 512
/** Two empty blocks end an archive. */
export const endBytes = 2 * blockBytes
/** Of a file of the archive, rounded up to blocks. */
export const paddedBytes = (bytes: number): number => Math.ceil(bytes / blockBytes) * blockBytes

/** What a backup has. */
export interface BackupHeader {
  /** Of this format; a version knows those up to its own. */
  readonly format: number
  /** When it was begun, RFC 3339. All that was stored by then is in it. */
  readonly begunAt: string
  readonly sekali: string
  readonly postgres: string
  /** When the newest migration was made that the tables have had; milliseconds since 1970. */
  readonly schema: number
  /** At least. */
  readonly topics: number
  readonly events: number
  /** Of PostgreSQL's files, about. */
  readonly bytes: number
  /** Of the superuser, who is among these files and takes no other. */
  readonly password: string
  /** What the secrets of webhooks are sealed with, if the folder had one. Backups of before there were webhooks have none. */
  readonly webhookKey?: string | undefined
}

export const format = 1

/** A file of the archive that is ours: its header, its content, and zeros up to the next block. */
export function entryOf(name: string, text: string): Buffer {
  const content = Buffer.from(text)
  const entry = Buffer.alloc(blockBytes + paddedBytes(content.length))
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`
  entry.write(name, 0)
  entry.write(octal(0o600, 7), 100)
  entry.write(octal(0, 7), 108)
  entry.write(octal(0, 7), 116)
  entry.write(octal(content.length, 11), 124)
  entry.write(octal(0, 11), 136)
  entry.write('        ', 148) // the checksum takes itself for spaces
  entry.write('0', 156)
  entry.write('ustar\x0000', 257)
  entry.write(`${octal(checksumOf(entry), 6)} `, 148)
  content.copy(entry, blockBytes)
  return entry
}

/** Of a header, with its own field taken for spaces. */
export function checksumOf(header: Buffer): number {
  let sum = 0
  for (let at = 0; at < blockBytes; at += 1) sum += at >= 148 && at < 156 ? 0x20 : (header[at] ?? 0)
  return sum
}
