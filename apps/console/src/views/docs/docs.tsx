/** The description of the API, which the gateway serves, as a page that people read. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { Badge, Card, Empty, PageHead } from '../../components/basics.tsx'
import { Field } from '../../components/field.tsx'
import { ProblemBanner } from '../../components/problem-banner.tsx'
import { getJson } from '../../http/call.ts'
import { usePolled } from '../../http/poll.ts'
import { route } from '../../routing/route.ts'
import { linkTo } from '../../routing/url.ts'
import type { View } from '../view.ts'
import { type OpenApi, type Route, routesOf } from './document.ts'
import { Prose } from './prose.tsx'
import { ShownRoute } from './route.tsx'

export const docs: View = {
  path: 'docs',
  title: () => 'API',
  component: Docs,
  entry: { words: 'API', group: 'System', icon: 'M6 4L2 8l4 4M10 4l4 4-4 4' },
}

/** The path is the same for all operations, so the list beside them stays as it was scrolled and searched. */
function Docs() {
  const operation = route.value.query.get('operation') ?? undefined
  const { data, problem } = usePolled('openapi', (signal) => getJson<OpenApi>('openapi.json', signal), {
    everyMs: null,
  })
  const page = useRef<HTMLDivElement>(null)
  const shown = useRef(operation)
  useEffect(() => {
    if (shown.current === operation) return
    shown.current = operation
    page.current?.focus()
    scrollTo(0, 0)
  }, [operation])
  const groups = data ? routesOf(data) : []
  const found = groups.flatMap(({ routes }) => routes).find(({ operationId }) => operationId === operation)
  return (
    <div class={operation === undefined ? 'docs' : 'docs docs-of-one'}>
      {data && <RouteList groups={groups} current={operation} />}
      <div class="docs-page" ref={page} tabIndex={-1}>
        <ProblemBanner problem={problem} title="The description could not be read" />
        {data && operation === undefined && <About document={data} groups={groups} />}
        {data && found && <ShownRoute document={data} route={found} />}
        {data && operation !== undefined && !found && (
          <Empty title="The API has no such operation.">
            <a href="#/docs">All operations</a>
          </Empty>
        )}
      </div>
    </div>
  )
}

interface AboutProps {
  readonly document: OpenApi
  readonly groups: ReturnType<typeof routesOf>
}

function About({ document: { info }, groups }: AboutProps) {
  return (
    <>
      <PageHead title="HTTP API" lead={`Version ${info.version}`}>
        <a class="button" href="./openapi.json" download="openapi.json">
          OpenAPI 3.1
        </a>
      </PageHead>
      <Prose text={info.description} />
      <div class="docs-groups stack">
        {groups.map(({ tag, routes }) => (
          <Card key={tag.name} title={tag.name} aside={tag.description}>
            <dl class="docs-fields">
              {routes.map(({ operationId, method, path, summary, ...route }) => (
                <div key={operationId}>
                  <dt>
                    <a class="mono" href={linkTo(['docs'], { operation: operationId })}>
                      {method} {path}
                    </a>
                  </dt>
                  <dd>
                    {summary} <span class="faint">{scopeWords[route['x-sekali-scope']]}</span>
                  </dd>
                </div>
              ))}
            </dl>
          </Card>
        ))}
      </div>
    </>
  )
}

/** What a key must be allowed to do. */
const scopeWords: Readonly<Record<string, string>> = {
  none: 'needs no key',
  any: 'any key',
  publish: 'scope publish',
  read: 'scope read',
  admin: 'scope admin',
}

interface RouteListProps {
  readonly groups: ReturnType<typeof routesOf>
  readonly current: string | undefined
}

function RouteList({ groups, current }: RouteListProps) {
  const [words, setWords] = useState('')
  const wanted = words.toLowerCase().trim()
  const isWanted = ({ method, path, summary }: Route) =>
    `${method} ${path} ${summary}`.toLowerCase().includes(wanted)
  const found = groups.map(({ tag, routes }) => ({ tag, routes: routes.filter(isWanted) }))
  return (
    <nav class="docs-list" aria-label="Operations of the API">
      <Field label="Find an operation" type="search" value={words} onValue={setWords} placeholder="redrive" />
      {found.every(({ routes }) => routes.length === 0) && <p class="faint">None has these words.</p>}
      {found.map(
        ({ tag, routes }) =>
          routes.length > 0 && (
            <section key={tag.name} aria-label={tag.name}>
              <h2>{tag.name}</h2>
              <p class="faint">{tag.description}</p>
              <ul>
                {routes.map(({ operationId, method, path, summary }) => (
                  <li key={operationId}>
                    <a
                      href={linkTo(['docs'], { operation: operationId })}
                      aria-current={operationId === current ? 'page' : undefined}
                      title={summary}
                    >
                      <Method name={method} /> <span class="mono">{path}</span>
                    </a>
                  </li>
                ))}
              </ul>
            </section>
          ),
      )}
    </nav>
  )
}

const methodTones = { GET: 'ok', POST: 'accent', DELETE: 'problem' } as const

const Method = ({ name }: { name: string }) => (
  <Badge tone={methodTones[name as keyof typeof methodTones] ?? 'unknown'}>{name}</Badge>
)
