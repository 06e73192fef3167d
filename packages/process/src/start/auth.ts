/** Who may come in, and where nobody may be let in without being asked for a key. */
import { BlockList, isIP } from 'node:net'
import { InvalidConfig } from '@sekali/core/errors'
import * as v from 'valibot'
import { parseEnv } from './env.ts'

/**
 * `keys`: whoever comes needs a key · `off`: everyone may do everything, on this machine alone · `off-on-purpose`: the same
 * also where others can come, for whoever has something in front that asks.
 */
export const authModes = ['off', 'keys', 'off-on-purpose'] as const
export type AuthMode = (typeof authModes)[number]

export const authEnv = {
  SEKALI_AUTH: v.optional(v.picklist(authModes, `must be one of ${authModes.join(', ')}`), 'off'),
}

/** The mode that an environment names. Throws `InvalidConfig`. */
export const readAuth = (env: NodeJS.ProcessEnv): AuthMode => parseEnv(v.object(authEnv), env).SEKALI_AUTH

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** Whether only this machine gets to an address or name that is listened on. */
export function isLoopback(host: string): boolean {
  const plain = host.replace(/^\[(.*)\]$/, '$1')
  const family = isIP(plain)
  if (family === 0) return /^(?:[^.]+\.)*localhost\.?$/i.test(plain)
  return loopback.check(plain, family === 4 ? 'ipv4' : 'ipv6')
}

/** Throws `InvalidConfig` if others could come in there without a key. `what` names the setting: HOST, or --host. */
export function requireAuth(auth: AuthMode, what: string, host: string): void {
  if (auth !== 'off' || isLoopback(host)) return
  throw new InvalidConfig(
    `${what} ${host} opens the gateway to the network, where anyone could read and publish everything. ` +
      'Set SEKALI_AUTH=keys, so that only keys open it, or SEKALI_AUTH=off-on-purpose if something in front of it ' +
      'asks who comes',
  )
}
