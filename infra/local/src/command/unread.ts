import { UsageError } from './usage-error.ts'

/** Of settings of the apps, those that `npm start` decides by an option, and those that it chooses by itself. */
const optionOf: Readonly<Record<string, string>> = {
  HOST: '--host',
  PORT: '--port',
  SEKALI_BIND: '--host',
  PROJECTIONS_DIR: '--projections',
}
const chosenHere = ['METRICS_PORT', 'CONSUMER_NAME', 'PROJECTOR_NAME', 'DISPATCHER_NAME']

/**
 * Throws {@link UsageError} for a setting that would be passed over in silence: who sets HOST=0.0.0.0 means to be reached.
 * One that says the same as its option does no harm. `chosen` are the options, by their names.
 */
export function refuseUnread(env: NodeJS.ProcessEnv, chosen: Readonly<Record<string, unknown>>): void {
  const complaints = [
    ...Object.entries(optionOf),
    ...chosenHere.map((name) => [name, undefined] as const),
  ].flatMap(([name, option]) => {
    const value = env[name]
    if (!value) return []
    if (option === undefined)
      return [`${name} cannot be set here: each process gets one of its own. Take it out.`]
    if (String(chosen[option.slice(2)] ?? '') === value) return []
    return [`${name} is not read here: give ${option} ${value} instead, or take it out of the environment.`]
  })
  if (complaints.length > 0) throw new UsageError(complaints.join('\n'))
}
