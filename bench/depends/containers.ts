/** The same job for each dependency injection peer: open a shape's resources, run, close. */
import 'reflect-metadata';
import { InjectionToken, injectAsync, Container as NeedleContainer } from '@needle-di/core';
import { asFunction, createContainer } from 'awilix';
import { Context, Effect, Layer, type Scope } from 'effect';
import { Container as InversifyContainer } from 'inversify';
import { injectable, Lifecycle, container as tsyringe } from 'tsyringe';
import { createInjector, type Injector, Scope as TypedScope } from 'typed-inject';
import type { Contender, Resource, Shape, Value } from './resources.js';

/** The ones that a run asks for: all, where nobody needs anybody, else the last. */
function roots(shape: Shape): number[] {
  const all = shape.map((_, index) => index);
  return shape.some((needs) => needs.length > 0) ? all.slice(-1) : all;
}

const key = (index: number): string => `r${index}`;
const keys = (indexes: readonly number[]): string[] => indexes.map(key);

/** The generators of peers that dispose nothing, closed by hand. */
type Bag = AsyncGenerator<Value>[];

async function closeAll(bag: Bag): Promise<void> {
  for (let open = bag.pop(); open; open = bag.pop()) await open.next();
}

async function openInto(bag: Bag, generator: AsyncGenerator<Value>): Promise<Value> {
  const { value } = await generator.next();
  bag.push(generator);
  return value;
}

const needle: Contender = (kit, shape) => {
  const root = new NeedleContainer();
  const tokens = shape.map((_, index) => new InjectionToken<Value>(key(index)));
  const wanted = roots(shape).flatMap((index) => tokens[index] ?? []);
  const openers = shape.map((_, index) => kit.opener(index));
  return async () => {
    const bag: Bag = [];
    const scope = root.createChild();
    for (const [index, open] of openers.entries()) {
      const inner = shape[index]?.flatMap((need) => tokens[need] ?? []) ?? [];
      scope.bind({
        provide: tokens[index] as InjectionToken<Value>,
        async: true,
        useFactory: async () => {
          const values = await Promise.all(inner.map((token) => injectAsync(token)));
          return openInto(bag, open(values));
        },
      });
    }
    try {
      const values = await Promise.all(wanted.map((token) => scope.getAsync(token)));
      return await kit.handler(values.at(-1));
    } finally {
      await closeAll(bag);
    }
  };
};

/** It disposes instances of classes only, and takes their parameters from metadata. */
const tsyringeChild: Contender = (kit, shape) => {
  const base = tsyringe.createChildContainer();
  type Class = new (...needs: Value[]) => Value;
  const classes: Class[] = [];
  for (const [index, needs] of shape.entries()) {
    class Held {
      readonly index = index;
      readonly #resource: Resource;
      constructor(...values: Value[]) {
        this.#resource = kit.resource(index, values);
      }
      dispose(): Promise<void> {
        return this.#resource.close();
      }
    }
    const types = needs.map((need) => classes[need]);
    Reflect.defineMetadata('design:paramtypes', types, Held);
    injectable()(Held);
    base.register(Held, { useClass: Held }, { lifecycle: Lifecycle.ContainerScoped });
    classes.push(Held);
  }
  const wanted = roots(shape).flatMap((index) => classes[index] ?? []);
  return async () => {
    const scope = base.createChildContainer();
    try {
      const values = wanted.map((type) => scope.resolve(type));
      return await kit.handler(values.at(-1));
    } finally {
      await scope.dispose();
    }
  };
};

const typedInject: Contender = (kit, shape) => {
  const root = createInjector();
  type Held = Value & { dispose(): Promise<void> };
  type Names = Record<string, Held>;
  const factories = shape.map((needs, index) => {
    const create = (...values: Held[]): Held => {
      const resource = kit.resource(index, values);
      return { index, dispose: () => resource.close() };
    };
    return Object.assign(create, { inject: keys(needs) });
  });
  return async () => {
    const base = root.createChildInjector();
    let scope = base as unknown as Injector<Names>;
    for (const [index, factory] of factories.entries()) {
      scope = scope.provideFactory(key(index), factory, TypedScope.Singleton);
    }
    try {
      let last: Value | undefined;
      for (const index of roots(shape)) last = scope.resolve(key(index));
      return await kit.handler(last);
    } finally {
      await base.dispose(); // the first child disposes those made of it
    }
  };
};

const awilix =
  (injectionMode: 'PROXY' | 'CLASSIC'): Contender =>
  (kit, shape) => {
    const root = createContainer<Record<string, Resource>>({ injectionMode, strict: true });
    for (const [index, needs] of shape.entries()) {
      const names = keys(needs);
      const proxied = (cradle: Record<string, Resource>): Resource =>
        kit.resource(
          index,
          names.map((name) => cradle[name] as Resource),
        );
      const create = (...values: Resource[]): Resource => kit.resource(index, values);
      // CLASSIC reads the names of the parameters out of the source
      const classic = new Function('create', `return (${names}) => create(${names})`)(create);
      const open = injectionMode === 'PROXY' ? proxied : classic;
      root.register(
        key(index),
        asFunction<Resource>(open)
          .scoped()
          .disposer((resource) => resource.close()),
      );
    }
    return async () => {
      const scope = root.createScope();
      try {
        let last: Value | undefined;
        for (const index of roots(shape)) last = scope.resolve<Resource>(key(index));
        return await kit.handler(last);
      } finally {
        await scope.dispose();
      }
    };
  };

/** Deactivation is forbidden in its request scope, so the run's own bag closes. */
const inversifyRequest: Contender = (kit, shape) => {
  const container = new InversifyContainer();
  container
    .bind<Bag>('bag')
    .toDynamicValue(() => [])
    .inRequestScope();
  for (const [index, needs] of shape.entries()) {
    const open = kit.opener(index);
    container
      .bind<Value>(key(index))
      .toResolvedValue(
        (bag: unknown, ...values: unknown[]) => openInto(bag as Bag, open(values as Value[])),
        ['bag', ...keys(needs)],
      )
      .inRequestScope();
  }
  container
    .bind<{ bag: Bag; last: Value | undefined }>('run')
    .toResolvedValue(
      (bag: unknown, ...values: unknown[]) => ({ bag: bag as Bag, last: values.at(-1) as Value }),
      ['bag', ...keys(roots(shape))],
    );
  return async () => {
    const { bag, last } = await container.getAsync<{ bag: Bag; last: Value | undefined }>('run');
    try {
      return await kit.handler(last);
    } finally {
      await closeAll(bag);
    }
  };
};

const inversifyChild: Contender = (kit, shape) => {
  const openers = shape.map((_, index) => kit.opener(index));
  let root = new InversifyContainer();
  let children = 0;
  return async () => {
    // a parent never lets go of its children, which would slow everybody down
    if (++children % 20 === 0) root = new InversifyContainer();
    const scope = new InversifyContainer({ parent: root });
    type Held = { index: number; generator: AsyncGenerator<Value> };
    for (const [index, open] of openers.entries()) {
      scope
        .bind<Held>(key(index))
        .toResolvedValue(
          async (...values: unknown[]) => {
            const generator = open(values as Value[]);
            await generator.next();
            return { index, generator };
          },
          keys(shape[index] ?? []),
        )
        .inSingletonScope()
        .onDeactivation(async ({ generator }) => {
          await generator.next();
        });
    }
    try {
      const wanted = keys(roots(shape)).map((name) => scope.getAsync<Value>(name));
      return await kit.handler((await Promise.all(wanted)).at(-1));
    } finally {
      await scope.unbindAllAsync();
    }
  };
};

type Opening = Effect.Effect<Value, never, Scope.Scope>;

function acquire(generator: AsyncGenerator<Value>): Opening {
  const opened = Effect.promise(async () => (await generator.next()).value as Value);
  return Effect.acquireRelease(opened, (_, exit) =>
    Effect.promise(() =>
      exit._tag === 'Success'
        ? generator.next()
        : generator.throw(exit.cause).catch(() => undefined),
    ),
  );
}

const effectScope: Contender = (kit, shape) => {
  const openers = shape.map((_, index) => kit.opener(index));
  const program = Effect.scoped(
    Effect.gen(function* () {
      const values: Value[] = [];
      for (const [index, open] of openers.entries()) {
        const inner = shape[index]?.map((need) => values[need] as Value) ?? [];
        values.push(yield* acquire(open(inner)));
      }
      const last = values.at(-1);
      return yield* Effect.promise(() => kit.handler(last));
    }),
  );
  return () => Effect.runPromise(program);
};

const effectLayer: Contender = (kit, shape) => {
  type Service = Context.Service<Value, Value>;
  const services = shape.map((_, index): Service => Context.Service<Value>(key(index)));
  const layers = shape.map((needs, index) => {
    const open = kit.opener(index);
    return Layer.effect(
      services[index] as Service,
      Effect.gen(function* () {
        const values: Value[] = [];
        for (const need of needs) values.push(yield* services[need] as Service);
        return yield* acquire(open(values));
      }),
    );
  });
  const flat = shape.every((needs) => needs.length === 0);
  let layer = Layer.empty as unknown as Layer.Layer<unknown, never, Value>;
  if (flat) layer = Layer.mergeAll(layer, ...layers);
  else for (const own of layers) layer = Layer.provideMerge(own, layer);
  const wanted = roots(shape).flatMap((index) => services[index] ?? []);
  const program = Effect.gen(function* () {
    let last: Value | undefined;
    for (const service of wanted) last = yield* service;
    return yield* Effect.promise(() => kit.handler(last));
  }).pipe(Effect.provide(layer as unknown as Layer.Layer<Value>));
  return () => Effect.runPromise(program);
};

/** All peers, by name. */
export const containers: Readonly<Record<string, Contender>> = {
  'needle-di': needle,
  'tsyringe child': tsyringeChild,
  'typed-inject': typedInject,
  'awilix PROXY': awilix('PROXY'),
  'awilix CLASSIC': awilix('CLASSIC'),
  'Effect Scope': effectScope,
  'Effect Layer': effectLayer,
  'inversify request': inversifyRequest,
  'inversify child': inversifyChild,
};
