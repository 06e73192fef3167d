import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { call, nextQuery, pathOf } from '../http/call.ts'
import { isVisible } from '../http/poll.ts'
import { asProblem, type Problem } from '../http/problem.ts'
import { eventOf, eventsOf } from '../text/slices.ts'
import { type FollowState, follow, restoredOf } from './follow.ts'
import {
  addLive,
  addNewest,
  addOlder,
  joins,
  noRows,
  type Restored,
  type Rows,
  release,
  restoredSince,
} from './rows.ts'

/** Which events; a field that is empty is left out. */
export interface LogQuery {
  readonly topic?: string | undefined
  readonly source?: string | undefined
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly by?: string | undefined
}

export interface Log {
  readonly rows: Rows
  readonly state: FollowState | 'off'
  /** Why events could not be read. */
  readonly problem: Problem | undefined
  /** Why nothing is followed: what is there can be read all the same. */
  readonly refusal: Problem | undefined
  /** That the log was restored from a backup meanwhile: the list has begun anew. */
  readonly restored: Restored | undefined
  readonly isLoading: boolean
  /** Reads the next older page; undefined at the beginning of the log. */
  readonly onOlder: (() => void) | undefined
  /** Whether the reader is elsewhere than on top, so that new rows have to wait. */
  readonly hold: (isHeld: boolean) => void
  /** Shows the rows that wait. */
  readonly showNew: () => void
}

const pageSize = 100

/** History and what comes live, as one list: the tail begins first, so that nothing falls between the two. */
export function useLog(query: LogQuery, isLive: boolean): Log {
  const key = JSON.stringify(query)
  const [rows, setRows] = useState<Rows>(noRows)
  const [state, setState] = useState<Log['state']>('off')
  const [problem, setProblem] = useState<Problem>()
  const [refusal, setRefusal] = useState<Problem>()
  const [restored, setRestored] = useState<Restored>()
  const [beginnings, setBeginnings] = useState(0)
  const [isLoading, setLoading] = useState(true)
  const [older, setOlder] = useState<URLSearchParams>()
  const isHeld = useRef(false)
  const isPaged = useRef(false)
  const known = useRef(rows)
  known.current = rows
  const shownKey = useRef(key)
  const visible = isVisible.value

  /** What is shown may be of events that are gone, and their seqs are those of others. */
  const beginAnew = useCallback((since: Restored) => {
    setRows(noRows)
    known.current = noRows
    isPaged.current = false
    setRestored(since)
    setBeginnings((before) => before + 1)
  }, [])

  // `key` is the query
  useEffect(() => {
    if (!visible) return
    const stop = new AbortController()
    if (shownKey.current !== key) {
      setRows(noRows)
      known.current = noRows
      isPaged.current = false
      setRestored(undefined)
    }
    const knownRows = () => [...known.current.waiting, ...known.current.shown]
    let stale = knownRows()
    shownKey.current = key
    setProblem(undefined)
    setRefusal(undefined)
    const read = async () => {
      setLoading(true)
      try {
        const page = await call(pathOf(['events'], { ...query, limit: pageSize }), { signal: stop.signal })
        const events = eventsOf(page.text)
        const since = restoredSince(known.current, events)
        if (since !== undefined) return beginAnew(since)
        // What goes on below is not read again because the page was hidden for a while.
        if (!isPaged.current || !joins(events, stale)) setOlder(nextQuery(page))
        isPaged.current = true
        setRows((before) => addNewest(before, events, stale, isHeld.current))
      } catch (error) {
        if (!stop.signal.aborted) setProblem(asProblem(error))
      }
      if (!stop.signal.aborted) setLoading(false)
    }
    if (!isLive) {
      setState('off')
      void read()
      return () => stop.abort()
    }
    let isFirst = true
    const { topic = '>', source } = query
    const end = follow(
      { topic: topic || '>', source },
      {
        onLines: (lines, passed) => {
          const came = lines.map(eventOf)
          const since = restoredSince(known.current, came)
          if (since !== undefined) return beginAnew(since)
          setRows((before) => {
            const at = passed > 0 ? { ...before, passed: before.passed + passed } : before
            return addLive(at, came, isHeld.current)
          })
        },
        onRefused: setRefusal,
        onRestored: beginAnew,
        onAgain: () => {
          stale = knownRows()
          isFirst = true
        },
        onState: (now) => {
          setState(now)
          if (isFirst && now !== 'connecting') {
            isFirst = false
            void read()
          }
        },
      },
    )
    return () => {
      stop.abort()
      end()
    }
  }, [key, isLive, visible, beginnings, beginAnew])

  const readOlder = useCallback(async () => {
    if (older === undefined) return
    setLoading(true)
    try {
      const page = await call(`events?${older}`)
      const events = eventsOf(page.text)
      const since = restoredSince(known.current, events)
      if (since !== undefined) return beginAnew(since)
      setRows((before) => addOlder(before, events))
      setOlder(nextQuery(page))
    } catch (error) {
      const problem = asProblem(error)
      if (problem.code === 'log_restored') return beginAnew(restoredOf(problem))
      setProblem(problem)
    }
    setLoading(false)
  }, [older, beginAnew])

  return {
    rows,
    state,
    problem,
    refusal,
    restored,
    isLoading,
    onOlder: older === undefined ? undefined : () => void readOlder(),
    hold: (held) => {
      isHeld.current = held
      if (!held) setRows(release)
    },
    showNew: () => setRows(release),
  }
}
