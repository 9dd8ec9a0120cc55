from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class KernelConfig(AppConfig):
    name = "emsp.kernel"
    label = "kernel"
    verbose_name = "Kernel"

    def ready(self) -> None:
        # Every process knows every kind of job: the web enqueues what the worker runs.
        autodiscover_modules("tasks")
