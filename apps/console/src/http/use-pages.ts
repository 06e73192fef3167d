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
 * stands still, since pages of different moments would not fit together.
 */
export function usePages<Row>(
  segments: readonly string[],
  query: Query,
  { read = (text) => JSON.parse(text) as Row[], everyMs = pollMs }: Options<Row> = {},
): Pages<Row> {
  const path = pathOf(segments, query)
  const [further, setFurther] = useState<Page<Row> & { readonly path: string }>()
  const more = further?.path === path ? further : undefined
  const pageOf = (answer: Answer): Page<Row> => ({ rows: read(answer.text), next: nextQuery(answer) })
  const first = usePolled(path, async (signal) => pageOf(await call(path, { signal })), {
    everyMs: more === undefined ? everyMs : null,
  })
  const next = more === undefined ? first.data?.next : more.next
  const { run, isBusy, problem } = useAction(async () => {
    const page = pageOf(await call(`${pathOf(segments)}?${next}`))
    setFurther({ path, rows: [...(more?.rows ?? []), ...page.rows], next: page.next })
  })
  return {
    rows: first.data && [...first.data.rows, ...(more?.rows ?? [])],
    problem: first.problem ?? problem,
    onMore: next && (() => run()),
    isBusy,
    refresh: () => {
      setFurther(undefined)
      first.refresh()
    },
  }
}
