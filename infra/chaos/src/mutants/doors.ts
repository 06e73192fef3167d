// Ways to break what stands between publishers and readers and the log: the gateway and the client.
import type { Mutant } from './mutant.ts'

export const doorMutants: readonly Mutant[] = [
  {
    name: 'retry-under-another-id',
    breaks: 'the client gives an event another id when it sends it again after a timeout',
    edits: [
      {
        file: 'packages/client/src/publish/publish.ts',
        find: "{ method: 'POST', headers, body }",
        replace: `{
    method: 'POST',
    headers,
    get body() {
      return body.replace('"event_id":"', () => \`"event_id":"\${Math.random()}-\`)
    },
  }`,
      },
    ],
    test: { project: 'client', file: 'client', name: 'stays the same to the byte' },
  },
  {
    name: 'gateway-appends-again',
    breaks: 'the gateway repeats an append that got no answer: one request, two entries',
    edits: [
      {
        file: 'apps/gateway/src/publish/publish.ts',
        find: 'await deps.appender.append(event)\n',
        replace: `await deps.appender.append(event).catch(async () => {
    await new Promise((resolve) => setTimeout(resolve, 200))
    await deps.appender.append(event)
  })\n`,
      },
    ],
    test: { project: 'chaos', file: 'replies', name: 'swallowed' },
  },
  {
    name: 'yes-before-redis',
    breaks: 'the gateway answers yes before Redis has the event',
    edits: [
      {
        file: 'apps/gateway/src/publish/publish.ts',
        find: 'await deps.appender.append(event)\n',
        replace: 'deps.appender.append(event).catch(() => undefined)\n',
      },
    ],
    test: { project: 'gateway', file: 'outage', name: 'while Redis is dead' },
  },
  {
    name: 'tail-skips-one',
    breaks: 'a tail that comes again begins one event after its cursor',
    edits: [
      {
        file: 'apps/gateway/src/tail/ring.ts',
        find: 'after: (id) => ordinalAfter.get(id),',
        replace: 'after: (id) => (ordinalAfter.has(id) ? (ordinalAfter.get(id) ?? 0) + 1 : undefined),',
      },
    ],
    test: { project: 'gateway', file: 'tail-restart', name: 'adds up to the log' },
  },
  {
    name: 'tail-keeps-its-page',
    breaks: 'a tail holds a page of history for as long as its client takes nothing',
    edits: [
      {
        file: 'apps/gateway/src/tail/history.ts',
        find: "return (await writer.writeFrames(feed.framesAfter(gap.cursor, events))) ? 'taken' : 'left'",
        replace: `const isTaken = await writer.writeFrames(feed.framesAfter(gap.cursor, events))
        if (writer.isFull()) await drained(writer.outgoing)
        return isTaken && events.length > 0 ? 'taken' : 'left'`,
      },
    ],
    test: { project: 'gateway', file: 'stalled', name: 'keeps a piece of it' },
  },
  {
    name: 'look-passes-over-late-commits',
    breaks:
      'a look at what has changed passes over what was begun before the last look and committed after it',
    edits: [
      {
        file: 'packages/store/src/read/heads.ts',
        find: 'pg_snapshot_xmin(pg_current_snapshot())',
        replace: 'pg_snapshot_xmax(pg_current_snapshot())',
      },
    ],
    test: { project: 'gateway', file: 'feeds', name: 'commits late is found' },
  },
  {
    name: 'payload-parsed-and-printed',
    breaks: 'a payload goes through JSON.parse and JSON.stringify',
    edits: [
      {
        file: 'packages/core/src/event/parse.ts',
        find: '    payload: payload.text,',
        replace: '    payload: JSON.stringify(JSON.parse(payload.text)),',
      },
    ],
    test: { project: 'gateway', file: 'events', name: 'character for character' },
  },
  {
    name: 'path-in-disguise',
    breaks: 'an encoded word of a route is routed as if it were written plainly',
    edits: [
      {
        file: 'apps/gateway/src/http/target.ts',
        find: '  if (index === 0) return false\n',
        replace: '',
      },
    ],
    test: { project: 'gateway', file: 'target', name: 'publis' },
  },
  {
    name: 'publish-past-the-door',
    breaks: "publishing's short cut does not look at the host",
    edits: [
      {
        file: 'apps/gateway/src/app.ts',
        find: 'const refused = door(request)',
        replace: "const refused = request.url === '/publish' ? undefined : door(request)",
      },
    ],
    test: { project: 'gateway', file: 'strangers', name: '421 unknown_host' },
  },
  {
    name: 'pages-of-other-sites-write',
    breaks: 'what a browser says of where a request comes from is not believed',
    edits: [
      {
        file: 'apps/gateway/src/http/door.ts',
        find: "  if (isForeign(request) && !isListed(request)) return refusal('foreign_origin')\n",
        replace: '',
      },
    ],
    test: { project: 'gateway', file: 'strangers', name: 'not for a page of another site' },
  },
  {
    name: 'replay-cut-by-an-end',
    breaks:
      'a replay that cannot go on ends as one does that is whole, which over HTTP/1.0 is all there is to see',
    edits: [
      {
        file: 'apps/gateway/src/sockets/cut.ts',
        find: '  response.socket?.resetAndDestroy()\n',
        replace: '',
      },
    ],
    test: { project: 'gateway', file: 'replay-end', name: 'leaves in the middle of a replay' },
  },
  {
    name: 'answers-cut-by-an-end-when-the-time-is-up',
    breaks: 'what is still being answered when the time to drain is over ends as if it were whole',
    edits: [
      {
        file: 'apps/gateway/src/sockets/server.ts',
        find: '    for (const { socket, current } of pipelines.all()) hangUpOn(socket, current?.response)\n',
        replace: '',
      },
    ],
    test: { project: 'gateway', file: 'replay-end', name: 'time to drain is over' },
  },
  {
    name: 'last-line-counts-nothing',
    breaks: 'the last line of a replay says complete, and the number of events of its last part alone',
    edits: [
      {
        file: 'apps/gateway/src/read/replay-writer.ts',
        find: 'events = before + count',
        replace: 'events = count',
      },
    ],
    test: { project: 'gateway', file: 'replay-end', name: 'last how many events' },
  },
  {
    name: 'end-believed-without-its-last-line',
    breaks: 'the client takes a replay that ends without the line that is due for a whole one',
    edits: [
      {
        file: 'packages/client/src/read/read.ts',
        find: 'if (counted === undefined && isLastLineDue)',
        replace: 'if (counted === undefined && isLastLineDue && events < 0)',
      },
    ],
    test: { project: 'client', file: 'read', name: 'a proxy made an end of' },
  },
  {
    name: 'line-of-two-lines',
    breaks: 'characters at which readers of lines end one stand in a line as they are',
    edits: [
      {
        file: 'packages/core/src/event/event.ts',
        find: '/[\\r\\n\\u0085\\u2028\\u2029]/g',
        replace: '/[\\r\\n]/g',
      },
    ],
    test: { project: 'core', file: 'event', name: 'no character ends the line' },
  },
  {
    name: 'oldest-id-wins',
    breaks: 'a tail goes on from the id in the URL that it was made with, not from what a library has added',
    edits: [{ file: 'apps/gateway/src/tail/tail.ts', find: 'ids.at(-1) ?? []', replace: 'ids.at(0) ?? []' }],
    test: { project: 'gateway', file: 'tail-starts', name: 'any name that libraries use' },
  },
  {
    name: 'ready-without-a-trial',
    breaks: 'the gateway is ready as long as Redis answers, whether or not it takes writes',
    edits: [
      {
        file: 'packages/broker/src/operate/health.ts',
        find: 'const refusal = await findRefusal(broker)',
        replace: 'const refusal = await findRefusal(broker).then(() => undefined)',
      },
    ],
    test: { project: 'gateway', file: 'readiness', name: 'takes no writes' },
  },
  {
    name: 'figures-on-the-connection-of-appends',
    breaks: 'what is given up when Redis is slow takes the connection of the appends down with it',
    edits: [
      {
        file: 'apps/gateway/src/wire.ts',
        find: 'createReadings({ figuresBroker, store, log })',
        replace: 'createReadings({ figuresBroker: broker, store, log })',
      },
    ],
    test: { project: 'gateway', file: 'readiness', name: 'asked once a second' },
  },
  {
    name: 'figures-from-before',
    breaks: 'whoever asks while figures are being read gets those, which may lack what he has just published',
    edits: [
      {
        file: 'apps/gateway/src/clients/single-flight.ts',
        find: '    next = undefined\n    const startedAt = performance.now()\n    const reading = read()\n',
        replace:
          '    const startedAt = performance.now()\n    const reading = read()\n' +
          '    void reading.finally(() => {\n      next = undefined\n    })\n',
      },
    ],
    test: { project: 'gateway', file: 'stats', name: 'begins after it was asked for' },
  },
]
