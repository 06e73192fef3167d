/** What else is to be said about a projection that somebody asks for by name. */
import { Refused } from '@sekali/client/errors'
import { SekaliError } from '@sekali/core/errors'
import type { Context } from '../context.ts'
import { plain } from '../terminal/text.ts'

class FileNotLoaded extends SekaliError {
  readonly code = 'definition_not_loaded'
  readonly retryable = false
}

/** Does `work`. If there is no projection of that name, but a file that does not load, throws an error that says so. */
export async function explaining<T>(context: Context, name: string, work: () => Promise<T>): Promise<T> {
  const { client, options } = context
  try {
    return await work()
  } catch (error) {
    // The event that would bring the key may be the one at which it has stopped.
    if (error instanceof Refused && error.code === 'unknown_key' && !context.json)
      await reportStop(context, name)
    if (!(error instanceof Refused && error.code === 'unknown_projection')) throw error
    const all = await client.projections(options)
    const file = all.find((one) => one.status === 'not_loaded' && isOf(one.name, name))
    if (file?.status !== 'not_loaded') throw error
    const place = file.error.line === undefined ? file.name : `${file.name} line ${file.error.line}`
    throw new FileNotLoaded(
      `${place} is a file that does not load: ${file.error.message}; mend it, it is read again by itself`,
      { cause: error },
    )
  }
}

/** Files are often called as their projection is. */
const isOf = (file: string, name: string): boolean =>
  file === name || file.replace(/\.[mc]?[jt]s$/, '') === name

/** Says on standard error at which event a projection has stopped, if it has: its state is an old one then. */
export async function reportStop({ client, options, report }: Context, name: string): Promise<void> {
  const all = await client.projections(options).catch((error: unknown) => {
    if (error instanceof SekaliError) return [] // what was asked for is there all the same
    throw error
  })
  const found = all.find((one) => one.name === name)
  if (found === undefined || found.status === 'not_loaded') return
  const { error, rebuild } = found
  const [what, stop] = error === undefined ? [`the rebuild of ${name}`, rebuild?.error] : [name, error]
  if (stop === undefined) return
  report(
    `${plain(what)} has stopped at ${plain(stop.topic)} seq ${stop.seq}: ${plain(stop.message)}; this is the state before it`,
  )
}
