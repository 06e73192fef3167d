/**
 * Drizzle, as CommonJS. Its package.json is 134 KB, and Node's loader of ES modules parses it for each of
 * Drizzle's 150 modules: 0.65 s of processor at the start of every process, where `require` takes 0.1 s.
 */
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

export const { sql } = require('drizzle-orm') as typeof import('drizzle-orm')
export const { drizzle } = require('drizzle-orm/node-postgres') as typeof import('drizzle-orm/node-postgres')
export const pgCore = require('drizzle-orm/pg-core') as typeof import('drizzle-orm/pg-core')
