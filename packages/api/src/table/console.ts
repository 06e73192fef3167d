/** The page that the gateway serves to browsers. It holds nothing of a system, so it needs no key; what it asks for does. */
import * as v from 'valibot'
import { defineRoute } from '../route.ts'

const open = { method: 'GET', scope: 'none', tag: 'console' } as const

const html = { mediaType: 'text/html; charset=utf-8', schema: v.string() } as const
const known = { ETag: 'always', Vary: 'always' } as const
const coded = { ...known, 'Content-Encoding': 'sometimes' } as const
const unchanged = { status: 304, description: 'It has not changed.', headers: known } as const

const notBuilt = {
  ...html,
  status: 503,
  description: 'The console is not built: the page says which command builds it.',
  example: '<!doctype html><title>Sekali</title><p>The console is not built.',
} as const

export const showConsole = defineRoute({
  ...open,
  id: 'showConsole',
  path: '/',
  summary: 'The console, a page for browsers',
  description:
    'Whatever `Accept` says. There are no data in it: it asks this API for them, by addresses relative to its own.',
  request: {},
  answers: [
    {
      ...html,
      status: 200,
      description: 'The page. A browser may keep it, and asks whether it is still the one.',
      example: '<!doctype html><title>Sekali</title>',
      headers: coded,
    },
    unchanged,
    notBuilt,
  ],
  problems: [],
})

export const readAsset = defineRoute({
  ...open,
  id: 'readAsset',
  path: '/assets/:file',
  summary: 'A file of the console',
  description: 'Another content has another name, so it may be kept for a year.',
  request: {
    path: {
      file: { schema: v.string(), description: 'Its name, which the page has.', example: 'main-7QX2LK5N.js' },
    },
  },
  answers: [
    {
      mediaType: 'text/javascript; charset=utf-8',
      schema: v.string(),
      status: 200,
      description: 'The file.',
      example: 'export {}',
      headers: coded,
    },
    {
      mediaType: 'text/css; charset=utf-8',
      schema: v.string(),
      status: 200,
      description: 'Or a style sheet.',
      example: 'body {}',
      headers: coded,
    },
    {
      mediaType: 'image/svg+xml',
      schema: v.string(),
      status: 200,
      description: 'Or a picture.',
      example: '<svg xmlns="http://www.w3.org/2000/svg"/>',
      headers: coded,
    },
    unchanged,
  ],
  problems: ['not_found'],
})

export const showIcon = defineRoute({
  ...open,
  id: 'showIcon',
  path: '/favicon.ico',
  summary: 'The icon of the console',
  description: 'Browsers ask for it by this name wherever they are, also where an answer is JSON.',
  request: {},
  answers: [
    {
      mediaType: 'image/svg+xml',
      schema: v.string(),
      status: 200,
      description: 'The icon.',
      example: '<svg xmlns="http://www.w3.org/2000/svg"/>',
      headers: coded,
    },
    unchanged,
  ],
  problems: ['not_found'],
})

export const showDocs = defineRoute({
  ...open,
  id: 'showDocs',
  path: '/docs',
  summary: 'This API as a page to read',
  description: 'A view of the console, to which a page leads at once.',
  request: {},
  answers: [
    {
      ...html,
      status: 200,
      description: 'The page that leads there.',
      example: '<!doctype html><meta http-equiv="refresh" content="0; url=./#/docs">',
    },
  ],
  problems: [],
})
