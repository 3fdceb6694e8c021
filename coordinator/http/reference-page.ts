import type { OpenAPIHono } from '@hono/zod-openapi';
import { html } from 'hono/html';

import { type Html, schemaTree } from './schema-tree.ts';

export type Reference = ReturnType<OpenAPIHono['getOpenAPI31Document']>;
type PathItem = NonNullable<Reference['paths']>[string];
type Operation = NonNullable<PathItem['get']>;
type Described = NonNullable<Operation['responses']>[string];

const methods = ['get', 'post', 'put', 'patch', 'delete'] as const;

export const referenceStyle = `:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; margin-top: 2rem; } h3 { font-size: 1rem; margin-bottom: 0.25rem; }
nav ul, ul.fields { padding-left: 1.1rem; margin: 0.2rem 0; } nav ul { display: flex; flex-wrap: wrap; gap: 0 1.2rem; padding: 0; list-style: none; }
code { font: 0.9em ui-monospace, monospace; } pre { white-space: pre-wrap; }
details { border-top: 1px solid color-mix(in srgb, currentcolor 20%, transparent); padding: 0.5rem 0; }
summary { cursor: pointer; min-height: 2rem; } summary .what { opacity: 0.75; }
.method { display: inline-block; min-width: 3.6rem; font-weight: 700; text-transform: uppercase; font-size: 0.8rem; }
.type { opacity: 0.75; } code.name { font-weight: 600; } .status { font-weight: 700; }
`;

/** Texts of the document: paragraphs, lists and \`code\`, nothing else of Markdown. */
const prose = (text: string | undefined): Html => {
  const inline = (line: string): Html =>
    html`${line.split('`').map((part, at) => (at % 2 === 1 ? html`<code>${part}</code>` : part))}`;
  return html`${(text ?? '').split('\n\n').map((block) => {
    const lines = block.split('\n');
    if (block.startsWith('- '))
      return html`<ul>${lines.map((line) => html`<li>${inline(line.slice(2))}</li>`)}</ul>`;
    return block === '' ? '' : html`<p>${inline(block)}</p>`;
  })}`;
};

const contentOf = (content: Record<string, { schema?: unknown }> | undefined): Html =>
  html`${Object.entries(content ?? {}).map(
    ([type, { schema }]) =>
      html`<p><code>${type}</code></p>${schema === undefined ? '' : schemaTree(schema)}`,
  )}`;

const parametersOf = ({ parameters = [] }: Operation): Html | string => {
  const named = parameters.flatMap((one) => ('name' in one ? [one] : []));
  if (named.length === 0) return '';
  return html`<h3>Parameters</h3><ul class="fields">${named.map(
    (
      one,
    ) => html`<li><code class="name">${one.name}</code> in the ${one.in}${one.required === true ? '' : ' (optional)'}:
      ${one.description ?? ''}${schemaTree(one.schema)}</li>`,
  )}</ul>`;
};

const bodyOf = ({ requestBody }: Operation): Html | string =>
  requestBody === undefined || '$ref' in requestBody
    ? ''
    : html`<h3>Body</h3>${contentOf(requestBody.content)}`;

const answerOf = ([status, answer]: [string, Described]): Html => {
  if ('$ref' in answer) return html`<p>${answer.$ref}</p>`;
  const isProblem = answer.content?.['application/problem+json'] !== undefined;
  return html`<div><span class="status">${status}</span>${prose(answer.description)}${isProblem ? '' : contentOf(answer.content)}</div>`;
};

const operationOf = (path: string, method: string, operation: Operation): Html =>
  html`<details><summary><span class="method">${method}</span> <code>${path}</code>
      <span class="what">${operation.summary ?? ''}</span></summary>
    ${prose(operation.description)}${operation.security === undefined ? '' : html`<p>Needs <code>Authorization: Bearer</code>.</p>`}
    ${parametersOf(operation)}${bodyOf(operation)}
    <h3>Answers</h3>${Object.entries(operation.responses ?? {}).map(answerOf)}</details>`;

const groupsOf = (reference: Reference) => {
  const operations = Object.entries(reference.paths ?? {}).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const operation = item[method];
      return operation === undefined ? [] : [{ path, method, operation }];
    }),
  );
  return Map.groupBy(operations, ({ operation }) => operation.tags?.[0] ?? 'other');
};

/** The reference for people, made from the document for programs. One page, no script. */
export const referencePage = (reference: Reference): Html => {
  const { info, servers = [] } = reference;
  const groups = [...groupsOf(reference)];
  const schemas = Object.entries(reference.components?.schemas ?? {});
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${info.title} ${info.version}: REST reference</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/style.css">
</head>
<body>
<h1>${info.title} ${info.version}: REST reference</h1>
${prose(info.description)}
<p>Base address: ${servers.map(({ url }) => html`<code>${url}</code>`)}. For programs: <a href="/openapi.json">openapi.json</a>.</p>
<nav><ul>${groups.map(([tag]) => html`<li><a href="#${tag}">${tag}</a></li>`)}<li><a href="#schemas">schemas</a></li></ul></nav>
<main>
${groups.map(
  ([tag, operations]) => html`<section id="${tag}"><h2>${tag}</h2>
${operations.map(({ path, method, operation }) => operationOf(path, method, operation))}</section>`,
)}
<section id="schemas"><h2>Schemas</h2>
${schemas.map(([name, schema]) => html`<h3 id="schema-${name}">${name}</h3>${schemaTree(schema)}`)}</section>
</main>
</body>
</html>
`;
};
