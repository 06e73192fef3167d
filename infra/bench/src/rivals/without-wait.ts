/**
 * For `node --import`: a gateway whose code for REDIS_REPLICAS_MIN is taken out, where BENCH_WAIT=none says so. Without that
 * nothing is changed, so that both sides are loaded alike: what V8 compiled first is then no difference between them.
 */
import { registerHooks } from 'node:module'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

interface Edit {
  /** Below packages/broker/src/append. */
  readonly file: string
  readonly find: string
  readonly replace: string
}

const append = new URL('../../../../packages/broker/src/append/', import.meta.url)
export const pathOf = ({ file }: Edit): string => fileURLToPath(new URL(file, append))

/** All that an append runs through because there is REDIS_REPLICAS_MIN. */
export const edits: readonly Edit[] = [
  { file: 'calls.ts', find: '      ...confirmation(broker, redis, due.length > 0),\n', replace: '' },
  { file: 'calls.ts', find: 'readConfirmation(broker, all)', replace: 'undefined' },
  {
    file: 'queues.ts',
    find: '    if (isConfirmed(hands.broker) && sending.size > 0) return',
    replace: '',
  },
  { file: 'registry.ts', find: '        ...confirmation(broker, redis, true),\n', replace: '' },
  { file: 'registry.ts', find: 'readConfirmation(broker, replies)', replace: 'undefined' },
]

/** Throws where the code is not what it was when the edits were written: a rival that is ours would measure nothing. */
export function takeOut(source: string, some: readonly Edit[]): string {
  let text = source
  for (const { file, find, replace } of some) {
    if (text.split(find).length !== 2)
      throw new Error(`${file} does not hold once what is to be taken out: ${find}`)
    text = text.replace(find, () => replace)
  }
  return text
}

if (process.env.BENCH_WAIT !== undefined) {
  const isOut = process.env.BENCH_WAIT === 'none'
  registerHooks({
    load: (url, context, nextLoad) => {
      const loaded = nextLoad(url, context)
      const wanted = isOut
        ? edits.filter((edit) => url.startsWith(append.href) && url.endsWith(`/${edit.file}`))
        : []
      return wanted.length === 0 ? loaded : { ...loaded, source: takeOut(String(loaded.source), wanted) }
    },
  })
}
