import process from 'node:process'
import type { NotLoaded } from '@sekali/core/not-loaded'

/** What a process tells its supervisor over their channel, for the people in front of it: all files that do not load now. */
export interface Notice {
  readonly notLoaded: readonly NotLoaded[]
}

/** Without a supervisor nothing happens. */
export function notifySupervisor(notice: Notice): void {
  if (process.connected) process.send?.(notice, undefined, undefined, () => undefined) // it may have gone meanwhile
}

export const isNotice = (message: unknown): message is Notice =>
  typeof message === 'object' &&
  message !== null &&
  'notLoaded' in message &&
  Array.isArray(message.notLoaded)
