from collections.abc import Iterator

import onnxruntime
import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql.functions import pandas_udf, struct

spark = SparkSession.builder.getOrCreate()


@pandas_udf("double")
def predict(parts: Iterator[pd.DataFrame]) -> Iterator[pd.Series]:
    session = onnxruntime.InferenceSession("flats.onnx")  # once for each worker, which has to see the file
    text = {column.name: "string" in column.type for column in session.get_inputs()}
    for rows in parts:
        x = {name: (rows[name].fillna("") if text[name] else pd.to_numeric(rows[name])).to_numpy() for name in text}
        yield pd.Series(session.run(None, {name: values[:, None] for name, values in x.items()})[0][:, 0])


rows = spark.read.csv("flats.csv", header=True)  # all columns as text
rows.withColumn("prediction", predict(struct("*"))).write.parquet("predictions", compression="gzip")
