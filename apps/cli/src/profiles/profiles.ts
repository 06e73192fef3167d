/**
 * Profiles: names for gateways, each with its URL and perhaps a token, in a file of the user's own. A token is a secret:
 * the file has mode 0600 and its folder 0700, and nothing prints what is in it.
 */
import { chmod, readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'
import { makeFolder } from '@sekali/process/make-folder'
import * as v from 'valibot'
import { explainUrl } from '../arguments.ts'
import { UsageError } from '../exit.ts'
import { openPrivateFile } from './private-file.ts'

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

const nameForm = /^[A-Za-z0-9][\w.-]{0,63}$/

export function requireName(name: string): string {
  if (nameForm.test(name)) return name
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

/** Whole or not at all. */
export async function writeProfiles(file: string, { inUse, byName }: Profiles): Promise<void> {
  const text = JSON.stringify({ in_use: inUse, profiles: Object.fromEntries(byName) }, null, 2)
  const folder = dirname(file)
  try {
    await makeFolder(folder, 0o700)
    await chmod(folder, 0o700)
    await using kept = await openPrivateFile(file)
    await kept.replace(`${text}\n`)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new UsageError(
      `cannot write ${file} (${code}): XDG_CONFIG_HOME can name a folder that you may write to`,
    )
  }
}

/** What fits into an Authorization header. */
export const isToken = (token: unknown): token is string =>
  typeof token === 'string' && /^[\x21-\x7e]{1,8192}$/.test(token)

/** As entries, because valibot's record would pass over names such as `constructor`. */
const File = v.object({
  in_use: v.optional(v.string()),
  profiles: v.pipe(
    v.custom<object>((value) => typeof value === 'object' && value !== null && !Array.isArray(value)),
    v.transform((profiles): unknown => Object.entries(profiles)),
    v.array(
      v.tuple([
        v.pipe(v.string(), v.regex(nameForm)),
        v.object({
          url: v.pipe(
            v.string(),
            v.check((url) => explainUrl(url) === undefined),
          ),
          token: v.exactOptional(v.custom<string>(isToken)),
        }),
      ]),
    ),
  ),
})

function parse(text: string): Profiles | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined // the parser's words would quote what may be a token
  }
  const { success, output } = v.safeParse(File, value)
  if (!success) return undefined // so would valibot's
  const { in_use: inUse, profiles } = output
  return { ...(inUse !== undefined && { inUse }), byName: new Map(profiles) }
}
