// What gateway and dispatchers of a system of our own know of webhooks.
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Webhooks } from './target.ts'

const open = '127.0.0.1'
const inside = '127.0.0.2'
/** Whole, whatever domains this machine looks for names in. */
const turning = 'turning.test.'

/**
 * The gateway lets more be saved than dispatchers may send to: so an endpoint leads where nothing may go, and the guard is all
 * that keeps dispatchers from there.
 */
export async function startWebhooks(dir: string): Promise<{
  readonly webhooks: Webhooks
  readonly gatewayEnv: Readonly<Record<string, string>>
  readonly dispatcherEnv: Readonly<Record<string, string>>
}> {
  const key = randomBytes(32).toString('base64')
  const folder = join(dir, 'names')
  const file = join(folder, turning)
  await mkdir(folder)
  await chmod(folder, 0o755) // dispatchers may be another user's
  const lead: Webhooks['lead'] = async (where) => await writeFile(file, where, { mode: 0o644 })
  await lead('by turns')
  const names = JSON.stringify({ name: turning, open, inside, file })
  const program = new URL('turning-name.ts', import.meta.url)
  return {
    webhooks: { open, inside, turning, lead, key },
    gatewayEnv: { WEBHOOK_KEY: key, WEBHOOK_ALLOW: '127.0.0.0/8' },
    dispatcherEnv: {
      WEBHOOK_KEY: key,
      WEBHOOK_ALLOW: `${open}/32`,
      NODE_OPTIONS: `--import=${program.href}`,
      CHAOS_TURNING_NAME: names,
    },
  }
}
