/**
 * The key that the secrets of webhooks are sealed with. It lies beside the data, and not among them: whoever gets hold of
 * PostgreSQL's files alone cannot sign. A backup has both.
 */
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readSecret } from '@sekali/process/secret-file'
import { makeKeyFile } from '@sekali/webhook/key'

const fileOf = (dir: string): string => join(dir, 'webhook-key')

/** The one that is given, else that of the data folder, which gets one now if it has none. */
export async function webhookKeyOf(dir: string, env: NodeJS.ProcessEnv): Promise<string> {
  const given = readSecret(env, 'WEBHOOK_KEY')
  if (given !== undefined) return given
  await makeKeyFile(fileOf(dir))
  return (await readWebhookKey(dir)) ?? ''
}

/** That of a data folder; undefined if it has none. */
export async function readWebhookKey(dir: string): Promise<string | undefined> {
  const text = await readFile(fileOf(dir), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  return text.trim() || undefined
}

/** Puts the one of a backup there: whole or not at all, as half a key would make all secrets useless. */
export async function keepWebhookKey(dir: string, key: string): Promise<void> {
  const unfinished = `${fileOf(dir)}.new`
  await writeFile(unfinished, `${key}\n`, { mode: 0o600, flush: true })
  await rename(unfinished, fileOf(dir))
}
