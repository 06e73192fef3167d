/**
 * Secrets that a process may get as a file instead of a variable: a file stays out of `docker inspect`, crash reports and
 * the environment of child processes. DATABASE_URL_FILE names the file that DATABASE_URL is read from.
 */
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { InvalidConfig } from '@sekali/core/errors'
import { urlVariables } from '@sekali/core/url-variables'

/** Of the roles in PostgreSQL, for the one who makes them. */
const rolePasswords = [
  'POSTGRES_OWNER_PASSWORD',
  'POSTGRES_CONSUMER_PASSWORD',
  'POSTGRES_GATEWAY_PASSWORD',
  'POSTGRES_PROJECTOR_PASSWORD',
  'POSTGRES_DISPATCHER_PASSWORD',
] as const

/** A standby of PostgreSQL, with a password. */
const readUrl = 'DATABASE_READ_URL'

/** The key that a client shows. */
const token = 'SEKALI_TOKEN'

/** What the secrets of webhooks are sealed with. */
const webhookKey = 'WEBHOOK_KEY'

type SecretName =
  | (typeof urlVariables)[keyof typeof urlVariables]
  | (typeof rolePasswords)[number]
  | typeof readUrl
  | typeof token
  | typeof webhookKey

/** What holds passwords. */
const secretNames: readonly SecretName[] = [
  ...Object.values(urlVariables),
  ...rolePasswords,
  readUrl,
  token,
  webhookKey,
]

export const isSecretName = (name: string): name is SecretName =>
  secretNames.some((secret) => secret === name)

export const fileVariableOf = (name: SecretName) => `${name}_FILE` as const

/**
 * The secret, from its variable or from the file that its _FILE variable names; undefined when neither is set. Throws
 * {@link InvalidConfig}, which never holds what is in the file.
 */
export function readSecret(env: NodeJS.ProcessEnv, name: SecretName): string | undefined {
  const variable = fileVariableOf(name)
  const path = env[variable]
  if (path === undefined) return env[name]
  if (env[name] !== undefined) throw new InvalidConfig(`${name} and ${variable} are both set: leave one out`)
  const value = readText(variable, path).replace(/\r?\n$/, '')
  // URL parsers pass over line breaks, and would make one wrong URL out of two.
  if (/[\r\n]/.test(value)) throw new InvalidConfig(`${variable}: the file must hold one line`)
  return value
}

function readText(variable: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const remedy = `it must be there, and user ${process.getuid?.() ?? ''} must be allowed to read it`
    throw new InvalidConfig(`${variable}: the file cannot be read (${code}); ${remedy}`)
  }
}
