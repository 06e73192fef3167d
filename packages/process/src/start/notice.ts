import process from 'node:process'
import type { NotLoaded } from '@sekali/core/not-loaded'

/** A projection that has stopped at an event. */
export interface StoppedProjection {
  readonly name: string
  readonly topic: string
  readonly seq: number
  readonly message: string
}

/**
 * What a process tells its supervisor over their channel, for the people in front of it: all files that do not load now,
 * a projection that has stopped, where it answers about its health, where it serves its metrics, or how many events have no
 * key yet because they are too many to give them theirs unasked, or 0 if the last step of that is left.
 */
export type Notice =
  | { readonly notLoaded: readonly NotLoaded[] }
  | { readonly stopped: StoppedProjection }
  | { readonly health: string }
  | { readonly metrics: string }
  | { readonly keyless: number }

/** Without a supervisor nothing happens. */
export function notifySupervisor(notice: Notice): void {
  if (process.connected) process.send?.(notice, undefined, undefined, () => undefined) // it may have gone meanwhile
}

export const isNotice = (message: unknown): message is Notice =>
  typeof message === 'object' &&
  message !== null &&
  (('notLoaded' in message && Array.isArray(message.notLoaded)) ||
    ('stopped' in message && typeof message.stopped === 'object') ||
    ('health' in message && typeof message.health === 'string') ||
    ('metrics' in message && typeof message.metrics === 'string') ||
    ('keyless' in message && typeof message.keyless === 'number'))
