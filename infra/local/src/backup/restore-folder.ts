// A data folder out of a backup. PostgreSQL's files get their place when all of them are there and the digest fits, so that
// one that was interrupted is no data folder, and is begun again by the same command. They need no fsync here: a server
// that recovers from a backup begins by syncing its whole folder (SyncDataDirectory).
import { chmod, chown, mkdir, open, readdir, rename, rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { unprivilegedOwner } from '@sekali/servers/unprivileged'
import { UsageError } from '../command/usage-error.ts'
import { markRestored } from '../system/restored-mark.ts'
import { keepWebhookKey } from '../system/webhook-key.ts'
import type { BackupEntry, OpenBackup } from './read-backup.ts'

/** The write-ahead log of the time of the backup, and what PostgreSQL writes when it starts. */
const moreBytes = 128 * 2 ** 20

/** Throws {@link UsageError} if there is a log in the folder already, or no room for this one. */
export async function requireEmpty(dir: string, bytes: number): Promise<void> {
  for (const part of ['postgres/data', 'redis']) {
    if ((await namesIn(join(dir, part))).length === 0) continue
    throw new UsageError(
      `${join(dir, part)} is there: a backup is restored into a folder without data, so that nothing is lost. ` +
        `Move ${dir} away, or choose another folder with --data.`,
    )
  }
  const { bavail, bsize, blocks } = await statfs(dir)
  const free = blocks === 0 ? Infinity : bavail * bsize // some file systems do not count
  if (free >= bytes + moreBytes) return
  const counted = (number: number) => number.toLocaleString('en-US')
  throw new UsageError(
    `${dir} has ${counted(free)} bytes free, and the backup needs ${counted(bytes + moreBytes)}: make room, ` +
      'or choose another folder with --data.',
  )
}

/** Restores into a folder that `requireEmpty` has let through and that nobody else uses. */
export async function restoreInto(
  dir: string,
  { header, entries }: OpenBackup,
  { onBytes, signal }: { readonly onBytes: (bytes: number) => void; readonly signal: AbortSignal },
): Promise<void> {
  const postgres = join(dir, 'postgres')
  const unfinished = join(postgres, 'data.new')
  await mkdir(postgres, { recursive: true, mode: 0o700 })
  await rm(unfinished, { recursive: true, force: true })
  try {
    await mkdir(unfinished, { mode: 0o700 })
    await own(unfinished)
    let bytes = 0
    for await (const entry of entries) {
      signal.throwIfAborted()
      bytes += await restoreEntry(join(unfinished, entry.path), entry)
      onBytes(bytes)
    }
    await writeFile(join(postgres, 'password'), `${header.password}\n`, { mode: 0o600 })
    if (header.webhookKey !== undefined) await keepWebhookKey(dir, header.webhookKey)
    const { format, password, webhookKey, ...rest } = header
    await markRestored(dir, rest)
    await rename(unfinished, join(postgres, 'data'))
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true })
    throw error
  }
}

/** Resolves with the bytes of its content. */
async function restoreEntry(path: string, { isFolder, mode, content }: BackupEntry): Promise<number> {
  if (isFolder) {
    await mkdir(path, { recursive: true })
    await chmod(path, mode)
    await own(path)
    return 0
  }
  const file = await open(path, 'wx', mode)
  let bytes = 0
  try {
    for await (const chunk of content) {
      await file.writeFile(chunk)
      bytes += chunk.length
    }
  } catch (error) {
    // Node names no file when a write fails.
    throw error instanceof Error && 'syscall' in error ? Object.assign(error, { path }) : error
  } finally {
    await file.close()
  }
  await own(path)
  return bytes
}

const owner = unprivilegedOwner()

/** Gives it to the user that PostgreSQL runs as where root runs us. */
async function own(path: string): Promise<void> {
  if (owner !== undefined) await chown(path, owner.uid, owner.gid)
}

const namesIn = (folder: string): Promise<string[]> =>
  readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
