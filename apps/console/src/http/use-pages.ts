import { useState } from 'preact/hooks'
import { type Answer, call, nextQuery, pathOf } from './call.ts'
import { type Polled, pollMs, usePolled } from './poll.ts'
import { useAction } from './use-action.ts'

export interface Pages<Row> {
  /** undefined until the first page is there. */
  readonly rows: readonly Row[] | undefined
  readonly problem: Polled<unknown>['problem']
  /** Reads the next page, if there is one. */
  readonly onMore: (() => void) | undefined
  /** Behind a count: ` so far` where there are further rows, or may be some since the list stands still. */
  readonly soFar: string
  readonly isBusy: boolean
  /** From the first page on. */
  readonly refresh: () => void
}

type Query = Readonly<Record<string, string | number | undefined>>

interface Page<Row> {
  readonly rows: readonly Row[]
  readonly next: URLSearchParams | undefined
}

interface Options<Row> {
  /** Of an answer; without it the answer is an array of small things. */
  readonly read?: (text: string) => readonly Row[]
  readonly everyMs?: number | null
}

/**
 * A list that comes in pages, by `Link`. The first page is read again and again; once somebody has asked for more the list
 * stands still, the first page as well: read anew it would end elsewhere than where the second one begins.
 */
export function usePages<Row>(
  segments: readonly string[],
  query: Query,
  { read = (text) => JSON.parse(text) as Row[], everyMs = pollMs }: Options<Row> = {},
): Pages<Row> {
  const path = pathOf(segments, query)
  const [grown, setGrown] = useState<Page<Row> & { readonly path: string }>()
  const still = grown?.path === path ? grown : undefined
  const pageOf = (answer: Answer): Page<Row> => ({ rows: read(answer.text), next: nextQuery(answer) })
  const first = usePolled(path, async (signal) => pageOf(await call(path, { signal })), {
    everyMs,
    isPaused: still !== undefined,
  })
  const shown = still ?? first.data
  const { run, isBusy, problem } = useAction(async () => {
    if (shown?.next === undefined) return
    const page = pageOf(await call(`${pathOf(segments)}?${shown.next}`))
    setGrown({ path, rows: [...shown.rows, ...page.rows], next: page.next })
  })
  return {
    rows: shown?.rows,
    problem: still === undefined ? (first.problem ?? problem) : problem,
    onMore: shown?.next && (() => run()),
    soFar: shown?.next || still ? ' so far' : '',
    isBusy,
    refresh: () => {
      setGrown(undefined)
      first.refresh()
    },
  }
}
