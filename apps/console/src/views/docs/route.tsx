import { useMemo } from 'preact/hooks'
import { Card } from '../../components/basics.tsx'
import { CopyButton } from '../../components/copy-button.tsx'
import { session } from '../../session/session.ts'
import { curlOf } from './curl.ts'
import {
  codesOf,
  type MediaType,
  type OpenApi,
  type Parameter,
  type Route,
  resolve,
  responseOf,
} from './document.ts'
import { fieldsOf, typeOf } from './fields.ts'
import { Words } from './prose.tsx'

/** One operation: what it does, what it takes, what it answers. */
export function ShownRoute({ document, route }: { document: OpenApi; route: Route }) {
  const { method, path, summary, description, parameters = [], requestBody } = route
  return (
    <div class="stack">
      <div>
        <p class="docs-back">
          <a href="#/docs">All operations</a>
        </p>
        <h1>{summary}</h1>
        <p class="docs-path mono">
          {method} {path}
        </p>
        <p class="prose">
          <Words text={description} />
        </p>
      </div>
      <Curl route={route} />
      {parameters.length > 0 && <Parameters document={document} parameters={parameters} />}
      {Object.entries(requestBody?.content ?? {}).map(([type, body]) => (
        <Card key={type} title="Body" aside={<code>{type}</code>}>
          <Body document={document} body={body} />
        </Card>
      ))}
      <Answers document={document} route={route} />
    </div>
  )
}

function Curl({ route }: { route: Route }) {
  // Of the page, which has the gateway's own origin and any prefix of a proxy.
  const base = new URL('./', location.href).href
  const text = curlOf(route, { base, withKey: session.value?.auth !== 'off' })
  return (
    <Card title="With curl" aside={<CopyButton text={text} of="the command" />}>
      <pre class="raw curl">{text}</pre>
    </Card>
  )
}

function Parameters({ document, parameters }: { document: OpenApi; parameters: readonly Parameter[] }) {
  return (
    <Card title="Parameters">
      <Fields
        caption="Parameters"
        rows={parameters.map(
          ({ name, in: place, required = false, description = '', schema = {}, example }) => ({
            name,
            isRequired: required,
            about: `${place}, ${typeOf(document, schema)}`,
            description,
            example: example === undefined ? '' : String(example),
          }),
        )}
      />
    </Card>
  )
}

function Body({ document, body: { schema = {}, example } }: { document: OpenApi; body: MediaType }) {
  const fields = useMemo(() => fieldsOf(document, schema), [document, schema])
  const text = typeof example === 'string' ? example : JSON.stringify(example, null, 2)
  return (
    <div class="stack">
      {example !== undefined && <pre class="raw example">{text}</pre>}
      {fields.length > 0 && (
        <Fields
          caption={`Fields of ${resolve(document, schema).name ?? 'the body'}`}
          rows={fields.map(({ path, type, isRequired, description }) => ({
            name: path,
            isRequired,
            about: type,
            description,
          }))}
        />
      )}
    </div>
  )
}

interface FieldRow {
  readonly name: string
  readonly isRequired: boolean
  readonly about: string
  readonly description: string
  readonly example?: string
}

function Fields({ caption, rows }: { caption: string; rows: readonly FieldRow[] }) {
  return (
    <dl class="docs-fields" aria-label={caption}>
      {rows.map(({ name, isRequired, about, description, example }) => (
        <div key={`${name} ${about}`}>
          <dt>
            <code>{name}</code> {isRequired && <span class="docs-required">required</span>}
          </dt>
          <dd>
            <p class="faint docs-type">{about}</p>
            {description && (
              <p>
                <Words text={description} />
              </p>
            )}
            {example && (
              <p class="faint">
                such as <code>{example}</code>
              </p>
            )}
          </dd>
        </div>
      ))}
    </dl>
  )
}

/** Answers in full; problems as their codes, status by status. */
function Answers({ document, route }: { document: OpenApi; route: Route }) {
  const answers = Object.entries(route.responses).map(
    ([status, response]) => [status, responseOf(document, response)] as const,
  )
  const good = answers.filter(([status]) => Number(status) < 400)
  const problems = answers.filter(([, response]) => codesOf(response).length > 0)
  return (
    <>
      {good.map(([status, { description, headers = {}, content = {} }]) => (
        <Card key={status} title={`Answer ${status}`} aside={<code>{Object.keys(content).join(', ')}</code>}>
          <div class="stack">
            <p>
              <Words text={description} />
            </p>
            <p class="faint">
              Headers: <code>{Object.keys(headers).join(', ')}</code>
            </p>
            {Object.entries(content)
              .filter(([type]) => type !== 'application/problem+json')
              .map(([type, body]) => (
                <Body key={type} document={document} body={body} />
              ))}
          </div>
        </Card>
      ))}
      {problems.length > 0 && (
        <Card title="Problems" aside="application/problem+json; match on the code">
          <dl class="docs-fields" aria-label="Problems">
            {problems.map(([status, response]) => (
              <div key={status}>
                <dt>{status}</dt>
                <dd class="codes">
                  {codesOf(response).map((code) => (
                    <code key={code}>{code}</code>
                  ))}
                </dd>
              </div>
            ))}
          </dl>
        </Card>
      )}
    </>
  )
}
