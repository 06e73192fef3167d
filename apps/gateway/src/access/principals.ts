/** Who sent a request, and what they may do: the door finds it out once, and handlers look it up. */
import type { IncomingMessage } from 'node:http'
import { everything, type Grant } from '@sekali/core/access'

const grants = new WeakMap<IncomingMessage, Grant>()

export const grantTo = (request: IncomingMessage, grant: Grant): void => void grants.set(request, grant)

/** Where no keys are asked for, nobody's grant is noted, and everyone may do everything. */
export const grantOf = (request: IncomingMessage): Grant => grants.get(request) ?? everything
