/**
 * Which gateway a command speaks to, and with which token: what an option says counts first, then the environment, then
 * the profile in use, then this machine. `--profile` is an option: it counts before SEKALI_URL.
 */
import { gatewayUrl } from '@sekali/process/gateway-url'
import { explainUrl } from '../arguments.ts'
import { UsageError } from '../exit.ts'
import { type Environment, type Profile, profilesFile, readProfiles, requireName } from './profiles.ts'
import { parseToken, readToken } from './token.ts'

/** What the command line says about it. */
export interface TargetOptions {
  readonly url?: string
  readonly profile?: string
  readonly tokenFile?: string
}

/** A value, and what it comes from, in words. */
interface Origin<T> {
  readonly value: T
  readonly from: string
}

export interface Target {
  readonly url: Origin<string>
  readonly token?: Origin<string>
}

/** Throws UsageError for what names no gateway, no profile or no token. */
export async function findTarget(options: TargetOptions, environment: Environment): Promise<Target> {
  const { url, profile } = await findUrl(options, environment)
  const token = await findToken(options, environment, profile)
  return { url, ...(token && { token }) }
}

interface Named extends Profile {
  readonly from: string
  /** By `--profile`, not by the environment or as the one in use. */
  readonly isByOption: boolean
}

async function findUrl(
  options: TargetOptions,
  environment: Environment,
): Promise<{ readonly url: Origin<string>; readonly profile?: Named }> {
  const { [gatewayUrl.variable]: urlSet = '' } = environment
  if (options.url !== undefined) return await beside({ value: options.url, from: '--url' })
  if (options.profile === undefined && urlSet !== '')
    return await beside({ value: requireUrl(urlSet), from: gatewayUrl.variable })
  const profile = await findProfile(options, environment)
  if (profile === undefined) return { url: { value: gatewayUrl.byDefault, from: 'default' } }
  return { url: { value: profile.url, from: profile.from }, profile }

  /** The profile has the token where its URL is the one that is named. A profile that cannot be read has none. */
  async function beside(url: Origin<string>) {
    const profile = await findProfile(options, environment).catch((error: unknown) => {
      if (error instanceof UsageError) return undefined
      throw error
    })
    return profile !== undefined && isSame(profile.url, url.value) ? { url, profile } : { url }
  }
}

const isSame = (one: string, other: string): boolean => new URL(one).href === new URL(other).href

/** The one that is named, else the one in use; undefined without any. Throws UsageError if there is no such profile. */
async function findProfile(
  { profile: named }: TargetOptions,
  environment: Environment,
): Promise<Named | undefined> {
  const { SEKALI_PROFILE: set = '' } = environment
  const { inUse, byName } = await readProfiles(profilesFile(environment))
  const [name, from] =
    named !== undefined ? [named, '--profile'] : set !== '' ? [set, 'SEKALI_PROFILE'] : [inUse, 'in use']
  if (name === undefined) return undefined
  const profile = byName.get(requireName(name))
  if (profile !== undefined) {
    return { ...profile, from: `profile ${name}, ${from}`, isByOption: named !== undefined }
  }
  throw new UsageError(`there is no profile ${name}: sekali profile list names them`)
}

/** The token of a profile goes to the URL of that profile alone, never to one that was named beside it. */
async function findToken(
  { tokenFile }: TargetOptions,
  { SEKALI_TOKEN: set = '' }: Environment,
  profile: Named | undefined,
): Promise<Origin<string> | undefined> {
  if (tokenFile !== undefined) return { value: await readToken(tokenFile), from: '--token-file' }
  const ofProfile = profile?.token === undefined ? [] : [{ value: profile.token, from: profile.from }]
  const ofEnvironment = set === '' ? [] : [{ value: parseToken(set, 'SEKALI_TOKEN'), from: 'SEKALI_TOKEN' }]
  return (profile?.isByOption ? [...ofProfile, ...ofEnvironment] : [...ofEnvironment, ...ofProfile])[0]
}

function requireUrl(text: string): string {
  const mistake = explainUrl(text)
  if (mistake === undefined) return text
  throw new UsageError(`${gatewayUrl.variable} names no gateway. ${mistake}`)
}
