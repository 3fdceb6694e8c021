import { html } from 'hono/html';

/** A piece of HTML in which every text from outside is escaped. */
export type Html = ReturnType<typeof html>;

/** A JSON Schema as it stands in an OpenAPI document. */
type Schema = Record<string, unknown>;

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const schemaOf = (value: unknown): Schema => (isSchema(value) ? value : {});
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const boundsOf = (schema: Schema): string => {
  const least = schema.minimum ?? schema.minLength ?? schema.minItems;
  const most = schema.maximum ?? schema.maxLength ?? schema.maxItems;
  const unbounded = (bound: unknown) =>
    bound === undefined || Math.abs(Number(bound)) === Number.MAX_SAFE_INTEGER;
  if (unbounded(least) && unbounded(most)) return '';
  if (unbounded(most)) return `, from ${least}`;
  return unbounded(least) ? `, up to ${most}` : `, ${least} to ${most}`;
};

const variantsOf = (schema: Schema): readonly unknown[] => [
  ...listOf(schema.anyOf),
  ...listOf(schema.oneOf),
  ...listOf(schema.allOf),
];

/** A name in the document's components: "Problem". */
const nameOf = (schema: Schema): string | undefined =>
  typeof schema.$ref === 'string' ? schema.$ref.split('/').at(-1) : undefined;

/** The type in a few words. */
const typeOf = (value: unknown): Html => {
  const schema = schemaOf(value);
  const name = nameOf(schema);
  if (name !== undefined) return html`<a href="#schema-${name}">${name}</a>`;
  if (schema.const !== undefined) return html`<code>${JSON.stringify(schema.const)}</code>`;
  if (Array.isArray(schema.enum)) {
    return html`one of ${schema.enum.map((one, at) => html`${at === 0 ? '' : ', '}<code>${String(one)}</code>`)}`;
  }
  const variants = variantsOf(schema);
  if (variants.length > 0) {
    const joint = schema.allOf === undefined ? ' or ' : ' and ';
    return html`${variants.map((one, at) => html`${at === 0 ? '' : joint}${typeOf(one)}`)}`;
  }
  if (schema.type === 'array') return html`array${boundsOf(schema)} of ${typeOf(schema.items)}`;
  if (isSchema(schema.additionalProperties) && schema.properties === undefined) {
    return html`object, each value: ${typeOf(schema.additionalProperties)}`;
  }
  const types = Array.isArray(schema.type) ? schema.type.join(' or ') : (schema.type ?? 'anything');
  const format = schema.format === 'date-time' ? ' (RFC 3339)' : '';
  const pattern = typeof schema.pattern === 'string' ? html` <code>${schema.pattern}</code>` : '';
  return html`${String(types)}${format}${boundsOf(schema)}${pattern}`;
};

/** Where the fields are: in the object itself, in an array's items, a record's values, or the variants of a union. */
const partsOf = (schema: Schema): readonly unknown[] => [
  schema.items,
  schema.additionalProperties,
  ...variantsOf(schema),
];

const fieldsOf = (schema: Schema): Html => {
  const required = listOf(schema.required);
  const entries = Object.entries(schemaOf(schema.properties));
  if (entries.length === 0) return html`${partsOf(schema).filter(isSchema).map(fieldsOf)}`;
  return html`<ul class="fields">${entries.map(([name, value]) => {
    const field = schemaOf(value);
    const text = typeof field.description === 'string' ? html` <span>${field.description}</span>` : '';
    return html`<li><code class="name">${name}</code>${required.includes(name) ? '' : ' (optional)'}:
      <span class="type">${typeOf(field)}</span>${text}${fieldsOf(field)}</li>`;
  })}</ul>`;
};

/** A schema as a person reads it: its type in words, and its fields as a list in the list. */
export const schemaTree = (schema: unknown): Html =>
  html`<div class="schema"><span class="type">${typeOf(schema)}</span>${fieldsOf(schemaOf(schema))}</div>`;
