/** The key under which secrets of webhooks and headers of endpoints are sealed. Who has none can send nothing. */
import { randomBytes } from 'node:crypto'
import { open } from 'node:fs/promises'
import { InvalidConfig } from '@sekali/core/errors'

/** 32 bytes. */
export type SealKey = Buffer & { readonly sealKey?: never }

const keyBytes = 32

/** How to get one, for whoever lacks one. */
export const keyRemedy =
  'make one with "openssl rand -base64 32", and give the same to gateways and dispatchers as WEBHOOK_KEY, or in a file that ' +
  'WEBHOOK_KEY_FILE names'

/** The key that a setting has: 32 bytes in base64, or in hex. Throws `InvalidConfig`, which has none of it. */
export function parseKey(text: string | undefined): SealKey {
  if (text === undefined || text === '') throw new InvalidConfig(`WEBHOOK_KEY is not set: ${keyRemedy}`)
  const isHex = /^[0-9a-f]{64}$/i.test(text)
  const key = Buffer.from(text, isHex ? 'hex' : 'base64')
  const isBase64 = isHex || /^[A-Za-z0-9+/_-]{43}=?$/.test(text)
  if (!isBase64 || key.length !== keyBytes) {
    throw new InvalidConfig(`WEBHOOK_KEY must be 32 bytes in base64 or hex: ${keyRemedy}`)
  }
  return key
}

/** Makes a file with a new key that its owner alone may read, unless it is there. Rejects with the error of the file system. */
export async function makeKeyFile(path: string): Promise<void> {
  try {
    await using file = await open(path, 'wx', 0o600)
    await file.writeFile(`${randomBytes(keyBytes).toString('base64')}\n`)
    await file.sync()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}
