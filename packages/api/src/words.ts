/** How people are told of a route. */
import type { RouteSpec } from './route.ts'

/** A path as OpenAPI and our pages write it: `/projections/{name}/{key}`. */
export const pathTemplate = (path: string): string => path.replace(/:(\w+)(?:\{[^}]*\})?/g, '{$1}')

/** The method and the path: `GET /projections/{name}`. */
export const nameOf = ({ method, path }: Pick<RouteSpec, 'method' | 'path'>): string =>
  `${method} ${pathTemplate(path)}`
