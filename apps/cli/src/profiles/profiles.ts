/**
 * Profiles: names for gateways, each with its URL and perhaps a token, in a file of the user's own. A token is a secret:
 * the file has mode 0600 and its folder 0700, and nothing prints what is in it.
 */
import { randomUUID } from 'node:crypto'
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'
import { gatewayUrl } from '@sekali/process/gateway-url'
import { UsageError } from '../exit.ts'

export interface Profile {
  readonly url: string
  readonly token?: string
}

export interface Profiles {
  /** The one that `profile use` chose. */
  readonly inUse?: string
  readonly byName: ReadonlyMap<string, Profile>
}

export type Environment = Readonly<Record<string, string | undefined>>

const none: Profiles = { byName: new Map() }

/** Where they are kept. The XDG specification has a relative XDG_CONFIG_HOME ignored. */
export function profilesFile({ XDG_CONFIG_HOME = '', HOME = '' }: Environment): string {
  const folder = isAbsolute(XDG_CONFIG_HOME) ? XDG_CONFIG_HOME : join(HOME || homedir(), '.config')
  return join(folder, 'sekali', 'profiles.json')
}

export function requireName(name: string): string {
  if (/^[A-Za-z0-9][\w.-]{0,63}$/.test(name)) return name
  throw new UsageError('a profile is called 1 to 64 of A-Z a-z 0-9 _ . -, beginning with a letter or digit')
}

/** Throws UsageError when there are profiles and they cannot be read. Without a file there are none. */
export async function readProfiles(file: string): Promise<Profiles> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return none
    throw new UsageError(`cannot read ${file} (${code}): make it readable for you`)
  }
  const profiles = parse(text)
  if (profiles !== undefined) return profiles
  throw new UsageError(`${file} is not as sekali profile writes it: mend it, or delete it and set them again`)
}

/** Whole or not at all, by another name first: a reader never sees a half of it. */
export async function writeProfiles(file: string, { inUse, byName }: Profiles): Promise<void> {
  const text = JSON.stringify({ in_use: inUse, profiles: Object.fromEntries(byName) }, null, 2)
  const folder = dirname(file)
  const temporary = `${file}.${randomUUID()}`
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await chmod(folder, 0o700)
    await writeFile(temporary, `${text}\n`, { mode: 0o600, flag: 'wx' })
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined) // the first error is the one to report
    const { code } = error as NodeJS.ErrnoException
    throw new UsageError(
      `cannot write ${file} (${code}): XDG_CONFIG_HOME can name a folder that you may write to`,
    )
  }
}

function parse(text: string): Profiles | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined // the parser's words would quote what may be a token
  }
  const { in_use: inUse, profiles } = (value ?? {}) as { in_use?: unknown; profiles?: unknown }
  if (typeof profiles !== 'object' || profiles === null) return undefined
  if (inUse !== undefined && typeof inUse !== 'string') return undefined
  const byName = new Map(Object.entries(profiles as Record<string, Profile>))
  for (const { url, token } of byName.values()) {
    if (!gatewayUrl.isValid(url) || (token !== undefined && !isToken(token))) return undefined
  }
  return { ...(inUse !== undefined && { inUse }), byName }
}

/** What fits into an Authorization header. */
export const isToken = (token: unknown): token is string =>
  typeof token === 'string' && /^[\x21-\x7e]{1,8192}$/.test(token)
