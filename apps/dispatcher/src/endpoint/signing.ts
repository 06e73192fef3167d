import type { PushTarget } from '@sekali/store/push-dispatch'
import type { SealKey } from '@sekali/webhook/key'
import { headersContext, SealedElsewhere, secretContext, unseal } from '@sekali/webhook/seal'
import { signingKeyOf } from '@sekali/webhook/sign'
import { hiddenOf } from '../send/hide.ts'
import type { Signing } from '../send/request.ts'

/**
 * What an endpoint's requests are signed with, and its own headers. Secrets of a key that was lost sign nothing, as long as there
 * is another one. Throws `SealedElsewhere`, with what to do: where none can be read, and where its headers cannot, as nobody
 * wants requests without them.
 */
export function signingOf(key: SealKey, { name, secrets, headersSealed }: PushTarget): Signing {
  const known = secrets.flatMap((sealed) => opened(key, sealed, secretContext(name)) ?? [])
  if (known.length === 0) {
    throw new SealedElsewhere('its secrets were sealed with another WEBHOOK_KEY: rotate them')
  }
  const text = headersSealed === null ? '{}' : opened(key, headersSealed, headersContext(name))
  if (text === undefined) {
    throw new SealedElsewhere('its headers were sealed with another WEBHOOK_KEY: set them again')
  }
  const own: Record<string, string> = JSON.parse(text)
  const headers = Object.fromEntries(Object.entries(own).map(([name, value]) => [name.toLowerCase(), value]))
  return { keys: known.map(signingKeyOf), headers, hidden: hiddenOf(own) }
}

function opened(key: SealKey, sealed: Buffer, context: string): string | undefined {
  try {
    return unseal(key, sealed, context)
  } catch (error) {
    if (error instanceof SealedElsewhere) return undefined
    throw error
  }
}
